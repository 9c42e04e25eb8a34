// Compare: two streams side by side, and the first token in which they differ.
import { adapterChoice } from "./adapters.js";
import { ask } from "./admin.js";
import { el, field, notice, quoted, segments, select } from "./dom.js";
import { TokenView } from "./tokens.js";
import { run, streamTiles } from "./transcript.js";
import { generate, watchVersions } from "./wire.js";

const MODES = [["packed", "packed"], ["cached-transpose", "cached transpose"], ["transpose-per-step", "transpose per step"]];
const KINDS = [["seed", "Seeds"], ["version", "Versions"], ["adapter", "Adapters"], ["head", "Head modes"]];
const EXPLAINED = {
  seed: "The same prompt and weights with two seeds: the texts part where chance decides otherwise.",
  version: "The same stream with two versions of the weights. A version can be asked for while it is in memory: the newest is, and any "
    + "that a stream has. Keep the one of now, change the weights (page Weights), come back and run both.",
  adapter: "The same stream with the model alone and with an adapter, or with two of them.",
  head: "The same stream with the output head in two layouts. The server is set to one after the other, and back. They may differ where "
    + "two tokens are equally likely to the last bits.",
};

function side(name, seed, mode) {
  const view = new TokenView("Text of " + name, null);
  const seedInput = el("input", { id: "seed-" + name, value: seed, inputmode: "numeric", autocomplete: "off" });
  const versionInput = el("input", { id: "version-" + name, type: "number", min: "1", placeholder: "the newest" });
  const modeInput = select(MODES, mode, { id: "mode-" + name });
  const adapter = adapterChoice("adapter-" + name);
  return { name, view, figures: streamTiles(), seedInput, versionInput, modeInput, adapter, seedField: field("Seed", seedInput),
    versionField: field("Version of the weights", versionInput), modeField: field("Head mode", modeInput), stream: null, ran: false };
}

let kept = null; // {version, stream}: a stream without demand, pinned to that version; it stays when another page is shown

/** A button that keeps the newest version in memory, while others are made. */
function keeper(result) {
  let newest = 0;
  const button = el("button", { type: "button", class: "plain", id: "keep-version", on: { click: () => kept ? release() : keep() } });
  const tell = () => button.textContent = kept ? `Let version ${kept.version} go` : `Keep version ${newest || "…"} in memory`;
  const forget = watchVersions(version => {
    newest = version;
    tell();
  });

  function keep() {
    const mine = { version: newest };
    const ended = message => {
      if (kept === mine) {
        kept = null;
        tell();
        result.show(`Version ${mine.version} is not kept any more. ${message.code ? `${message.code}: ${message.message}` : ""}`, "bad");
      }
    };
    kept = mine;
    mine.stream = generate({ prompt: "Once", max_tokens: 1, credit: 0, weights: newest }, { finished: ended, failed: ended });
    tell();
  }

  function release() {
    const mine = kept;
    kept = null;
    mine.stream.cancel();
    tell();
  }
  tell();
  return { element: button, forget };
}

export function compare() {
  const sides = [side("A", "1", "packed"), side("B", "2", "cached-transpose")];
  const [a, b] = sides;
  const prompt = el("textarea", { id: "compare-prompt", rows: "2" }, "Once upon a time");
  const maxTokens = el("input", { id: "compare-tokens", type: "number", value: "120", min: "1", max: "1048576" });
  const temperature = el("input", { id: "compare-temperature", type: "number", value: "0.8", min: "0", max: "100", step: "0.05" });
  const what = segments("What differs", "what", KINDS, "seed", changed);
  const explained = el("p", { class: "soft" });
  const result = notice();
  const keeping = keeper(result);
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
    keeping.element.hidden = what.value !== "version";
    sides.forEach(s => {
      s.modeField.hidden = what.value !== "head";
      s.versionField.hidden = what.value !== "version";
      s.adapter.element.hidden = what.value !== "adapter";
      s.seedField.hidden = what.value !== "seed" && s === b;
    });
    if (what.value === "adapter") {
      chooseAdapters();
    }
  }

  async function chooseAdapters() {
    const served = await Promise.all(sides.map(s => s.adapter.load()));
    if (what.value === "adapter") {
      sides.forEach(s => s.adapter.element.hidden = false); // also without any, so that it is seen that there is none
      if (served[0] === 0) {
        explained.textContent = EXPLAINED.adapter + " This server has none.";
      }
    }
  }

  function fieldsOf(s) {
    const fields = { prompt: prompt.value, max_tokens: Number(maxTokens.value) || 1, logprobs: 0,
      sampling: { temperature: Number(temperature.value), seed: (what.value === "seed" ? s : a).seedInput.value.trim() || "1" } };
    if (what.value === "version" && s.versionInput.value !== "") {
      fields.weights = Number(s.versionInput.value);
    }
    if (what.value === "adapter" && s.adapter.value !== "") {
      fields.adapter = s.adapter.value;
    }
    return fields;
  }

  function stream(s) {
    s.ran = true;
    s.view.reset(el("div", {}, el("span", { class: "prompt" }, prompt.value)));
    return new Promise((resolve, reject) => {
      s.stream = run(fieldsOf(s), { view: s.view, figures: s.figures, rate: Infinity, quiet: s === b }, message => {
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
        "A stream is a function of weights, adapter, prompt, parameters and seed alone. Change one of them, and see where the texts part.")),
    el("div", { class: "card stack" }, el("div", {}, what, explained),
      el("div", { class: "fields" }, field("Prompt", prompt, "wide"), field("Max tokens", maxTokens), field("Temperature", temperature)),
      el("div", { class: "row" }, both, one, stop, keeping.element)),
    result.element,
    el("div", { class: "halves" }, sides.map(s => el("section", { class: "stack", "aria-label": "Stream " + s.name },
      el("div", { class: "fields" }, el("h2", { class: "wide" }, s.name), s.seedField, s.versionField, s.adapter.element, s.modeField),
      s.figures.element, s.view.element)))),
    leave() {
      stopAll();
      keeping.forget();
    },
  };
}
