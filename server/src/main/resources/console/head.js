// Head: the layout that logits are computed with, changed while tokens flow, and the proof that it computes the same.
import { ask } from "./admin.js";
import { hasAdminToken, onAccessChange, tokenWanted } from "./access.js";
import { bar, bytes, check, el, notice, number, whole } from "./dom.js";

const MODES = {
  "packed": "One copy in panels: lookups gather from it, logits stream through it.",
  "cached-transpose": "A second, transposed copy in float32: for comparison.",
  "transpose-per-step": "Transposed anew at every step, as a program would that keeps one plain copy.",
};

export function head() {
  const place = el("div");
  const note = notice();
  const choices = el("div", { class: "choices", role: "radiogroup", "aria-label": "Head mode" });
  const verify = el("input", { type: "checkbox", id: "verify", checked: true });
  const apply = el("button", { id: "set-mode", type: "submit" }, "Use this mode");
  const proof = el("section", { class: "card", "aria-label": "Verification" });
  const memory = el("section", { class: "card", "aria-label": "Memory of the tied matrix" });
  const times = el("section", { class: "card scroll", tabIndex: 0, "aria-label": "Measured times" });
  const form = el("form", { class: "card stack", on: { submit: set } }, el("h2", {}, "Mode"), choices,
    check("compare logits of the old and the new layout first", verify), el("div", {}, apply));

  function layOut() {
    if (hasAdminToken()) {
      place.replaceChildren(el("div", { class: "halves" }, el("div", { class: "stack" }, form, note.element), el("div",
        { class: "stack" }, proof, memory, times)));
      load();
    } else {
      place.replaceChildren(tokenWanted("The output head"));
    }
  }

  async function load() {
    try {
      show(await ask("stats"));
    } catch (error) {
      note.show(error.message, "bad");
    }
  }

  function show(stats) {
    const o = stats.optimization;
    choices.replaceChildren(...o.modes.map(mode => el("label", {},
      el("input", { type: "radio", name: "mode", value: mode.mode, checked: mode.mode === o.mode }),
      el("strong", {}, mode.mode + (mode.mode === o.mode ? " (now)" : "")),
      el("span", { class: "soft" },
        `${MODES[mode.mode] ?? ""} ${bytes(mode.peak_bytes)} beside the tensors; activations `
          + `${mode.head_activations}.${mode.fits ? "" : " Does not fit the memory budget."}`))));
    apply.disabled = !o.tied;
    if (!o.tied) {
      note.show("The head of this model is a matrix of its own, not the embedding: there is one mode.");
    }
    showMemory(o);
    showTimes(stats.logits);
  }

  function showMemory(o) {
    const all = Math.max(o.total_bytes, 1);
    const line = (name, n) => [el("span", {}, name), el("div", { class: "bar", "aria-hidden": "true" }, bar(n / all)), el("span",
      { class: "num" }, bytes(n))];
    memory.replaceChildren(el("h2", {}, "Memory of the tied matrix"),
      el("div", { class: "bars" }, line("embedding", o.embedding_weight_bytes), line("transposed", o.transposed_weight_bytes),
        line("beyond one copy", o.optimization_overhead), line("in all", o.total_bytes)),
      el("p", { class: "soft" }, `${whole(o.vocabulary_size)} × ${whole(o.hidden_size)} elements`));
  }

  function showTimes(logits) {
    const rows = Object.entries(logits).map(([mode, t]) => el("tr", {}, el("td", {}, mode), el("td", {}, whole(t.single_row.calls)),
      el("td", {}, number(t.single_row.us_p50)), el("td", {}, number(t.single_row.us_p99)), el("td", {}, number(t.gb_per_s))));
    times.replaceChildren(el("h2", {}, "Measured times of one row"), rows.length === 0 ? el("p", { class: "soft" },
      "Nothing was computed yet.") : el("table", {},
      el("thead", {}, el("tr", {}, ["Mode", "Rows", "p50, µs", "p99, µs", "GB/s"].map(name => el("th", { scope: "col" }, name)))),
        el("tbody", {}, rows)));
  }

  async function set(event) {
    event.preventDefault();
    const mode = choices.querySelector(":checked")?.value;
    if (!mode) {
      return;
    }
    apply.disabled = true;
    note.show("Building …");
    try {
      const ack = await ask("optimization.set", { mode, verify: verify.checked },
        { progress: p => note.show(`${p.stage}: ${whole(p.done)} of ${whole(p.of)}`) });
      if (ack.changed) {
        note.show(`${ack.mode} in place of ${ack.previous_mode}, built in ${number(ack.build_ms)} ms; ${bytes(ack.bytes_before)} before, `
          + `${bytes(ack.bytes_after)} after.`, "good");
        prove(ack.verification);
      } else {
        note.show("That is the mode already.");
      }
    } catch (error) {
      note.show(error.message, "bad");
    }
    apply.disabled = false;
    load();
  }

  function prove(v) {
    if (!v) {
      proof.replaceChildren(el("h2", {}, "Verification"), el("p", { class: "soft" }, "The last change was not verified."));
      return;
    }
    proof.replaceChildren(el("h2", {}, "Verification: the same logits"), el("table", { class: "facts" }, el("tbody", {}, [
      ["compared on", `${whole(v.rows)} hidden states, ${v.recorded ? "of streams that ran" : "made up"}; activations ${v.activations}`],
      ["largest difference", number(v.max_delta)],
      ["of what is allowed", number(100 * v.max_delta_over_bound) + " %"],
      ["old layout", number(v.old_us_per_row) + " µs per row"],
      ["new layout", number(v.new_us_per_row) + " µs per row"],
    ].map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, value))))));
  }

  proof.replaceChildren(el("h2", {}, "Verification"), el("p", { class: "soft" },
    "When a mode is changed, both layouts compute logits of the same hidden states, and the new one is used only if they agree. The "
      + "result is shown here."));
  const forget = onAccessChange(layOut);
  layOut();
  return {
    title: "Head",
    element: el("div", {}, el("h1", {}, "Head"),
      el("p", { class: "lead" },
        "Embedding and output head are one matrix in most small models. How it is laid out changes the speed and the memory, and not the "
          + "text."), place),
    leave: forget,
  };
}
