// Adapters: which there are, to choose one by its name, and what administrators see of them.
import { call } from "./access.js";
import { ask } from "./admin.js";
import { bytes, count, el, field, notice, select, whole } from "./dom.js";

/** Names of the adapters that requests may ask for. */
async function names() {
  return (await call("v1/models")).data.filter(model => model.parent).map(model => model.id);
}

/** A field that chooses an adapter; not shown while there is none. `value` is its name, or empty. */
export function adapterChoice(id, label = "Adapter") {
  const control = select([["", "none"]], "", { id });
  const element = field(label, control);
  element.hidden = true;
  return {
    element,
    get value() {
      return control.value;
    },
    /** Asks which there are; those that are gone are chosen no longer. Resolves to their number. */
    async load() {
      const served = await names().catch(() => []); // whoever begins a stream is told what is wrong
      const chosen = control.value;
      control.replaceChildren(...["", ...served].map(name => el("option", { value: name }, name || "none")));
      control.value = served.includes(chosen) ? chosen : "";
      element.hidden = served.length === 0;
      return served.length;
    },
  };
}

/** The card with all adapters, and with what loads one more. */
export function adapterCard() {
  const note = notice();
  const list = el("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "List of adapters" });
  const summary = el("p", { class: "soft" });
  const name = el("input", { id: "adapter-name", maxLength: 128, spellcheck: false, autocomplete: "off" });
  const path = el("input", { id: "adapter-path", maxLength: 1024, spellcheck: false, autocomplete: "off",
    placeholder: "in the server's --adapter-dir" });
  const form = el("form", { class: "fields", on: { submit: loadOne } }, field("Name", name), field("Folder or GGUF file", path),
    el("div", { class: "wide" }, el("button", { class: "plain" }, "Load an adapter")));

  async function load() {
    try {
      show(await ask("adapters.status"));
    } catch (error) {
      note.show(error.message, "bad");
    }
  }

  function show(status) {
    const rows = status.adapters.map(a => el("tr", {}, el("td", {}, el("strong", {}, a.name), el("div", { class: "soft" }, a.format)),
      el("td", {}, a.highest_rank === 0 ? "–" : whole(a.highest_rank)), el("td", {}, bytes(a.bytes)), el("td", {}, whole(a.streams)),
      el("td", {}, el("button", { type: "button", class: "plain small", "aria-label": `Unload ${a.name}`, on: { click: () => unload(a.name) } },
        "Unload"))));
    list.replaceChildren(rows.length === 0 ? el("p", { class: "soft" }, "None is served.") : el("table", {}, el("thead", {}, el("tr", {},
      ["Adapter", "Rank", "Memory", "Streams", ""].map(title => el("th", { scope: "col" }, title)))), el("tbody", {}, rows)));
    summary.textContent = `${count(status.adapters.length, "adapter")} of at most ${whole(status.max_adapters)}; memory: `
      + `${bytes(status.adapter_bytes)} of ${bytes(status.max_adapter_bytes)}.`;
  }

  async function change(what, words) {
    note.show(words + " …");
    try {
      const ack = await what();
      note.show(`${ack.name}: ${bytes(ack.bytes)}, ${ack.format}.${ack.warnings.length ? " " + ack.warnings.join("; ") + "." : ""}`, "good");
    } catch (error) {
      note.show(error.message, "bad");
    }
    load();
  }

  function loadOne(event) {
    event.preventDefault();
    change(() => ask("adapters.load", { name: name.value, path: path.value }), `Loading ${name.value}`);
  }

  function unload(chosen) {
    change(() => ask("adapters.unload", { name: chosen }), `Unloading ${chosen}`);
  }
  return { element: el("section", { class: "card stack", "aria-label": "Adapters" }, el("h2", {}, "Adapters"), list, summary, form,
    note.element), load };
}
