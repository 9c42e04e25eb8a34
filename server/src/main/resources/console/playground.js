// Playground: a completion or a chat, held back or let go by its credit.
import { el, field, notice, segments } from "./dom.js";
import { detail } from "./detail.js";
import { paceSlider } from "./pace.js";
import { parameters } from "./parameters.js";
import { TokenView } from "./tokens.js";
import { colourKey, run, streamTiles } from "./transcript.js";

const EXPLAINED = "Write a prompt and press Start. The credit slider is the demand of this stream: at 0 the server computes nothing for "
  + "it.";

export function playground() {
  const view = new TokenView("Text of the stream", (token, index) => token || index < 0 ? inspector.show(token, index) : null);
  const inspector = detail();
  const figures = streamTiles();
  const note = notice();
  const form = parameters();
  const prompt = el("textarea", { id: "prompt", rows: "4" }, "Once upon a time");
  const system = el("textarea", { id: "system", rows: "2", placeholder: "none" });
  const systemField = field("System message", system);
  const promptLabel = el("span", {}, "Prompt");
  const start = el("button", { id: "start", type: "submit" }, "Start");
  const stop = el("button", { id: "stop-stream", type: "button", class: "plain", disabled: true, on: { click: () => stream?.stop() } },
    "Stop");
  const clear = el("button", { type: "button", class: "plain", on: { click: forget } }, "New chat");
  const slider = paceSlider(20, rate => stream?.rate(rate));
  const mode = segments("Kind", "kind", [["completion", "Completion"], ["chat", "Chat"]], "completion", changeMode);
  let messages = [];
  let stream = null;

  function changeMode(kind) {
    const chat = kind === "chat";
    systemField.hidden = !chat;
    clear.hidden = !chat;
    promptLabel.textContent = chat ? "Your message" : "Prompt";
    prompt.value = chat ? "" : "Once upon a time";
    forget();
  }

  function forget() {
    if (stream !== null) {
      stream.abandon();
      stream = null;
      running(false);
    }
    messages = [];
    view.reset(el("p", {}, EXPLAINED));
  }

  function asked() {
    if (mode.value === "completion") {
      view.reset(el("div", {}, el("span", { class: "prompt" }, prompt.value)));
      return { prompt: prompt.value };
    }
    messages = messages.concat({ role: "user", content: prompt.value });
    view.reset(...messages.map(m => el("div", { class: "said" }, el("b", {}, m.role === "user" ? "You" : "Model"), m.content)),
      el("div", { class: "said" }, el("b", {}, "Model")));
    prompt.value = "";
    const before = system.value.trim() ? [{ role: "system", content: system.value }] : [];
    return { messages: before.concat(messages) };
  }

  function begin(event) {
    event.preventDefault();
    note.clear();
    let fields;
    try {
      fields = form.read();
    } catch (error) {
      note.show(error.message, "bad");
      return;
    }
    const chat = mode.value === "chat";
    running(true);
    stream = run({ ...asked(), ...fields }, { view, figures, rate: slider.rate, slider }, message => {
      running(false);
      stream = null;
      if (message.type === "failed" || message.code) {
        note.show(`${message.code}: ${message.message}`, "bad");
        if (chat) { // to be sent again
          prompt.value = messages.at(-1).content;
          messages = messages.slice(0, -1);
        }
      } else if (chat) {
        messages = messages.concat({ role: "assistant", content: view.text });
      }
    });
  }

  function running(on) {
    start.disabled = on;
    stop.disabled = !on;
    (on ? stop : start).focus({ preventScroll: true });
  }

  systemField.hidden = true;
  clear.hidden = true;
  view.reset(el("p", {}, EXPLAINED));
  const controls = el("form", { class: "card stack", on: { submit: begin } }, mode, systemField,
    el("label", { class: "field" }, promptLabel, prompt),
    el("div", { class: "row" }, start, stop, clear), note.element, form.element);
  return {
    title: "Playground",
    element: el("div", {}, el("h1", {}, "Playground"),
      el("p", { class: "lead" }, "Every token as it is made, with the weights that made it and how sure the model was."),
      el("div", { class: "columns" }, controls,
        el("div", { class: "stack" }, el("div", { class: "card" }, slider.element), figures.element, view.element, colourKey(),
          inspector.element))),
    leave: () => stream?.abandon(),
    /** For tests: what the page holds. */
    view,
  };
}
