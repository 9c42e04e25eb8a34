// A stream beside the versions, to see them change.
import { el, notice } from "./dom.js";
import { paceSlider } from "./pace.js";
import { TokenView } from "./tokens.js";
import { run, streamTiles } from "./transcript.js";

const PAUSE_MS = 500; // before a stream that made nothing begins again

/** A stream that follows the weights, slowly enough to see them change; begun again while it is wanted. */
export function liveStream() {
  const view = new TokenView("Text of a stream that follows the weights", null, true);
  const figures = streamTiles();
  const slider = paceSlider(10, rate => stream?.rate(rate));
  const toggle = el("button", { id: "follow", type: "button", on: { click: () => wanted ? stop() : begin() } }, "Start a stream");
  const note = notice();
  let stream = null;
  let wanted = false;
  let timer = 0;

  function begin() {
    wanted = true;
    note.clear();
    toggle.textContent = "Stop it";
    view.reset(el("div", {}, el("span", { class: "prompt" }, "Once upon a time")));
    stream = run({ prompt: "Once upon a time", max_tokens: 400, weights: "follow", logprobs: 0, sampling: { temperature: 0.8, top_k: 40 } },
      { view, figures, rate: slider.rate, slider, quiet: true }, message => {
        stream = null;
        toggle.textContent = "Start a stream";
        if (message.code) {
          wanted = false;
          note.show(`${message.code}: ${message.message}`, "bad");
        } else if (wanted && view.tokens.length > 0) {
          begin();
        } else if (wanted) { // a model that has nothing to say is not asked as fast as it answers
          toggle.textContent = "Stop it";
          timer = setTimeout(begin, PAUSE_MS);
        }
      });
  }

  function stop() {
    wanted = false;
    clearTimeout(timer);
    toggle.textContent = "Start a stream";
    stream?.abandon();
    stream = null;
  }
  view.reset(el("p", {}, "A stream that follows the weights changes its colour when a version is published."));
  return {
    element: el("section", { class: "card stack", "aria-label": "A running stream" },
      el("div", { class: "row ends" }, el("h2", {}, "A running stream"), toggle), slider.element, figures.element, view.element,
        note.element),
    stop,
  };
}
