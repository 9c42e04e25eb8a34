// Compare: two streams side by side, and the first token in which they differ.
import { ask } from "./admin.js";
import { el, field, notice, quoted, segments, select } from "./dom.js";
import { TokenView } from "./tokens.js";
import { run, streamTiles } from "./transcript.js";

const MODES = [["packed", "packed"], ["cached-transpose", "cached transpose"], ["transpose-per-step", "transpose per step"]];
const EXPLAINED = {
  seed: "The same prompt and weights with two seeds: the texts part where chance decides otherwise.",
  head: "The same stream with the output head in two layouts. The server is set to one after the other, and back. They may differ where "
    + "two tokens are equally likely to the last bits.",
  weights: "Run A, change the weights (page Weights), then run B: what the change does to the same prompt and seed.",
};

function side(name, seed, mode) {
  const view = new TokenView("Text of " + name, null);
  const figures = streamTiles();
  const seedInput = el("input", { id: "seed-" + name, value: seed, inputmode: "numeric", autocomplete: "off" });
  const modeInput = select(MODES, mode, { id: "mode-" + name });
  const seedField = field("Seed", seedInput);
  const modeField = field("Head mode", modeInput);
  return { name, view, figures, seedInput, modeInput, seedField, modeField, stream: null, ran: false };
}

export function compare() {
  const sides = [side("A", "1", "packed"), side("B", "2", "cached-transpose")];
  const [a, b] = sides;
  const prompt = el("textarea", { id: "compare-prompt", rows: "2" }, "Once upon a time");
  const maxTokens = el("input", { id: "compare-tokens", type: "number", value: "120", min: "1", max: "1048576" });
  const temperature = el("input", { id: "compare-temperature", type: "number", value: "0.8", min: "0", max: "100", step: "0.05" });
  const what = segments("What differs", "what", [["seed", "Seeds"], ["head", "Head modes"], ["weights", "Weights, now and later"]],
    "seed", changed);
  const explained = el("p", { class: "soft" });
  const result = notice();
  const both = el("button", { type: "button", id: "run-both", on: { click: () => start(sides) } }, "Run both");
  const one = sides.map(s => el("button", { type: "button", class: "plain", on: { click: () => start([s]) } }, "Run " + s.name));
  const stop = el("button", { type: "button", class: "plain", disabled: true, on: { click: stopAll } },
    "Stop");
  let stopped = false;

  function stopAll() {
    stopped = true;
    sides.forEach(s => s.stream?.stop());
  }

  function changed() {
    explained.textContent = EXPLAINED[what.value];
    sides.forEach(s => {
      s.modeField.hidden = what.value !== "head";
      s.seedField.hidden = what.value !== "seed" && s === b;
    });
    both.hidden = what.value === "weights";
  }

  function seedOf(s) {
    return (what.value === "seed" ? s : a).seedInput.value.trim() || "1";
  }

  function stream(s) {
    s.ran = true;
    s.view.reset(el("div", {}, el("span", { class: "prompt" }, prompt.value)));
    return new Promise((resolve, reject) => {
      s.stream = run({
        prompt: prompt.value, max_tokens: Number(maxTokens.value) || 1, logprobs: 0,
        sampling: { temperature: Number(temperature.value), seed: seedOf(s) },
      }, { view: s.view, figures: s.figures, rate: Infinity, quiet: s === b }, message => {
        s.stream = null;
        if (message.code) {
          reject(new Error(`${s.name}: ${message.code}: ${message.message}`));
        } else {
          resolve();
        }
      });
    });
  }

  async function start(chosen) {
    result.show("Running …");
    sides.forEach(s => s.view.markDifference(-1));
    stopped = false;
    busy(true);
    try {
      if (what.value === "head") {
        await withModes(chosen);
      } else {
        const ended = await Promise.allSettled(chosen.map(stream)); // both have, before either may run again
        const failed = ended.find(one => one.status === "rejected");
        if (failed) {
          throw failed.reason;
        }
      }
      tell();
    } catch (error) {
      result.show(error.message, "bad");
    }
    busy(false);
  }

  async function withModes(chosen) {
    const before = (await ask("optimization.status")).mode;
    try {
      for (const s of chosen) {
        if (!stopped) {
          await ask("optimization.set", { mode: s.modeInput.value, verify: false });
        }
        if (!stopped) {
          await stream(s);
        }
      }
    } finally {
      await ask("optimization.set", { mode: before, verify: false });
    }
  }

  function busy(on) {
    [both, ...one].forEach(button => button.disabled = on);
    stop.disabled = !on;
  }

  function tell() {
    if (!a.ran || !b.ran) {
      result.show("Now the other.");
      return;
    }
    const [left, right] = sides.map(s => s.view.tokens);
    const length = Math.max(left.length, right.length);
    let at = 0;
    while (at < length && left[at]?.token === right[at]?.token) {
      at++;
    }
    if (at === length) {
      result.show(`No difference in ${length} tokens.`, "good");
      return;
    }
    requestAnimationFrame(() => requestAnimationFrame(() => sides.forEach(s => s.view.markDifference(at)))); // when they are shown
    const word = tokens => tokens[at] ? quoted(tokens[at].text) : "the end";
    result.show(`The first difference is at token ${at + 1}: ${word(left)} in A, ${word(right)} in B.`);
  }

  result.show("Run both to see where they part.");
  changed();
  sides.forEach(s => s.view.reset(el("p", {}, "Not run yet.")));
  return {
    title: "Compare",
    element: el("div", { class: "stack" }, el("div", {}, el("h1", {}, "Compare"),
      el("p", { class: "lead" },
        "A stream is a function of weights, prompt, parameters and seed alone. Change one of them, and see where the texts part.")),
    el("div", { class: "card stack" }, el("div", {}, what, explained),
      el("div", { class: "fields" }, field("Prompt", prompt, "wide"), field("Max tokens", maxTokens), field("Temperature", temperature)),
      el("div", { class: "row" }, both, one, stop)),
    result.element,
    el("div", { class: "halves" }, sides.map(s => el("section", { class: "stack", "aria-label": "Stream " + s.name },
      el("div", { class: "fields" }, el("h2", { class: "wide" }, s.name), s.seedField, s.modeField), s.figures.element, s.view.element)))),
    leave: stopAll,
  };
}
