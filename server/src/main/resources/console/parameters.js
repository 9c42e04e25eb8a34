// The fields of `generate` as a form. What is left empty is left to the server; what it refuses, it says itself.
import { adapterChoice } from "./adapters.js";
import { check, el, field, segments, select } from "./dom.js";

function numeric(id, value, step, min, max, placeholder = "") {
  return el("input", { id, type: "number", value, step, min, max, placeholder, inputmode: "decimal" });
}

/** Escapes of a line in the field of stop strings. */
function unescaped(line) {
  return line.replace(/\\(n|t|\\)/g, (_, c) => ({ n: "\n", t: "\t", "\\": "\\" })[c]);
}

export function parameters() {
  const maxTokens = numeric("max-tokens", "200", "1", "1", "1048576");
  const seed = el("input", { id: "seed", inputmode: "numeric", placeholder: "any", autocomplete: "off" });
  const sampling = {
    temperature: numeric("temperature", "0.8", "0.05", "0", "100"),
    top_k: numeric("top-k", "40", "1", "0", "", "all"),
    top_p: numeric("top-p", "0.95", "0.01", "0", "1"),
    min_p: numeric("min-p", "", "0.01", "0", "1", "0"),
    repetition_penalty: numeric("repetition-penalty", "", "0.05", "0", "100", "1"),
    presence_penalty: numeric("presence-penalty", "", "0.1", "-100", "100", "0"),
    frequency_penalty: numeric("frequency-penalty", "", "0.1", "-100", "100", "0"),
  };
  const stop = el("textarea", { id: "stop", rows: "2", spellcheck: false, placeholder: "one a line; \\n is a line break" });
  const probabilities = select([["", "none"], ["0", "of tokens"], ["5", "and 5 others"], ["20", "and 20 others"]], "5", { id: "logprobs" });
  const weights = segments("Weights", "weights", [["pin", "pin"], ["follow", "follow"]], "follow", () => {});
  const adapter = adapterChoice("adapter");
  adapter.load();
  const recompute = el("input", { type: "checkbox", id: "recompute" });
  const more = el("details", {}, el("summary", {}, "More"), el("div", { class: "fields" },
    field("Min-p", sampling.min_p), field("Repetition penalty", sampling.repetition_penalty),
    field("Presence penalty", sampling.presence_penalty), field("Frequency penalty", sampling.frequency_penalty),
    field("Stop strings", stop, "wide"),
    el("div", { class: "wide stack" },
      el("div", { class: "row" }, el("span", { class: "soft" }, "New weights:"), weights),
      check("recompute the KV cache with them", recompute))));
  const element = el("details", { open: matchMedia("(min-width: 861px)").matches }, el("summary", {}, "Parameters"), el("div",
    { class: "fields" },
    field("Max tokens", maxTokens), field("Temperature", sampling.temperature),
    field("Top-k", sampling.top_k), field("Top-p", sampling.top_p),
    field("Seed", seed), field("Probabilities", probabilities), adapter.element,
    el("div", { class: "wide" }, more)));

  return {
    element,
    /** As `generate` wants them; throws an Error that says which field is wrong. */
    read() {
      const chosen = {};
      for (const [name, control] of Object.entries(sampling)) {
        if (!control.validity.valid) {
          control.focus();
          throw new Error(`${name}: ${control.validationMessage}`);
        }
        if (control.value !== "") {
          chosen[name] = Number(control.value);
        }
      }
      if (seed.value.trim() !== "") {
        chosen.seed = seed.value.trim(); // as a string: 64 bits
      }
      const fields = { max_tokens: Number(maxTokens.value) || 1, sampling: chosen, weights: weights.value };
      if (adapter.value !== "") {
        fields.adapter = adapter.value;
      }
      if (weights.value === "follow" && recompute.checked) {
        fields.kv = "recompute";
      }
      const stops = stop.value.split("\n").filter(line => line !== "").map(unescaped);
      if (stops.length > 0) {
        fields.stop = stops;
      }
      if (probabilities.value !== "") {
        fields.logprobs = Number(probabilities.value);
      }
      return fields;
    },
  };
}
