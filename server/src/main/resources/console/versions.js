// The versions of the weights as a timeline.
import { adminCall } from "./access.js";
import { ask } from "./admin.js";
import { bytes, count, el, notice, number, whole } from "./dom.js";
import { badge, colourOf } from "./tokens.js";

const MAX_SHOWN = 100;
const PAUSE_MS = 500; // between two looks

/**
 * The card with all versions, newest first: each can be verified while it is in memory, and gone back to; one that is held, published.
 *
 * @param seen called with the server's `weights.status` and the held versions after each look
 */
export function timeline(seen) {
  const note = notice();
  const list = el("ol", { class: "timeline" });
  const summary = el("p", { class: "soft" });

  let loading = false;
  let changed = false; // meanwhile

  /** One look at a time, however fast a trainer makes versions. */
  async function load() {
    changed = true;
    if (loading) {
      return;
    }
    loading = true;
    while (changed) {
      changed = false;
      await show();
      await new Promise(resolve => setTimeout(resolve, PAUSE_MS));
    }
    loading = false;
  }

  async function show() {
    try {
      const [status, history] = await Promise.all([ask("weights.status"), ask("weights.history")]);
      const listed = status.durable ? (await adminCall(
        `admin/weights/versions?from=${Math.max(1, status.weights_version - MAX_SHOWN)}`)).versions : [];
      const held = listed.filter(v => v.held).map(v => v.version);
      const gone = listed.filter(v => v.gone).map(v => v.version);
      const versions = history.versions.slice(-MAX_SHOWN).reverse();
      const left = history.committed_versions - versions.length;
      list.replaceChildren(...versions.map(v => item(v, status, held, gone)),
        ...(left > 0 ? [el("li", {}, `${left} older ones`)] : []),
        item({ weights_version: history.base_version, what: "base" }, status, held, gone));
      const memory = status.memory;
      summary.textContent = `Weights of all versions: ${bytes(memory.weights_bytes)}; KV cache: ${bytes(memory.kv_bytes)}; budget: `
        + `${bytes(memory.budget_bytes)}.`
        + (status.durable ? "" : " The server has no --data-dir: weights cannot be changed.");
      seen(status, held);
    } catch (error) {
      note.show(error.message, "bad");
    }
  }

  function item(v, status, held, gone) {
    const version = v.weights_version;
    const alive = status.live_versions.filter(l => l.weights_version === version);
    const current = version === status.weights_version;
    const facts = [v.committed_at ? new Date(v.committed_at).toLocaleString() : null,
      alive.length ? `in memory for ${count(alive.reduce((sum, l) => sum + l.leases, 0), "stream")}` : null,
      status.checkpoints?.includes(version) ? "checkpoint" : null, held.includes(version) ? "held" : null,
      gone.includes(version) ? "gone: its bits were pruned" : null].filter(Boolean).join(" · ");
    const sound = alive.length === 0 || !status.durable ? null : el("button", { type: "button", class: "plain small",
      "aria-label": `Verify version ${version}`, on: { click: () => verify(version) } }, "Verify");
    const publishing = held.includes(version) ? el("button", { type: "button", class: "small", "aria-label": `Publish version ${version}`,
      on: { click: () => publish(version) } }, "Publish") : null;
    const back = current || !status.durable || held.includes(version) || gone.includes(version) ? null : el("button", { type: "button", class: "plain small",
      "aria-label": `Roll back to version ${version}`, on: { click: () => rollback(version) } }, "Roll back to this");
    return el("li", { class: colourOf(version), ...(current ? { "aria-current": "true" } : {}) },
      el("div", { class: "row ends" }, el("span", { class: "row" }, badge(version), el("strong", {}, title(v)), current ? el("span",
        { class: "soft" }, "current") : null), el("span", { class: "row" }, sound, publishing, back)),
      el("div", { class: "soft" }, facts));
  }

  function title(v) {
    switch (v.what) {
      case "base": return "the model file";
      case "rollback": return `rollback to v${v.to_version}`;
      case "transaction": return `${v.label || v.update_id}: ${count(v.tensors.length, "tensor")}, ${bytes(v.byte_length)}`;
      default: return `${v.kind} of ${v.tensor}, ${v.shape.map(whole).join(" × ")}, ${bytes(v.byte_length)}`;
    }
  }

  /** The server computes the version anew, from the model file and what is on disk, and compares. */
  async function verify(version) {
    note.show(`Verifying version ${version} …`);
    try {
      const v = await adminCall(`admin/weights/versions/${version}/verify`, "POST");
      note.show(v.sound ? `Version ${version} is sound: ${count(v.tensors, "tensor")}, ${bytes(v.bytes)}, are what the model file and the `
        + "updates on disk make." : `Version ${version} differs from what is on disk: ${v.different.join(", ")}`, v.sound ? "good" : "bad");
    } catch (error) {
      note.show(error.message, "bad");
    }
  }

  async function publish(version) {
    note.show(`Publishing version ${version} …`);
    try {
      await adminCall("admin/weights/publish", "POST", { version });
      note.show(`New streams get version ${version}.`, "good");
    } catch (error) {
      note.show(error.message, "bad");
    }
    load();
  }

  async function rollback(version) {
    note.show(`Rolling back to version ${version} …`);
    try {
      const ack = await ask("weights.rollback", { to_version: version });
      note.show(`Version ${ack.weights_version} has the weights of version ${version}, after ${number(ack.build_ms)} ms.`, "good");
    } catch (error) {
      note.show(error.message, "bad");
    }
    load();
  }
  return { element: el("section", { class: "card stack", "aria-label": "Versions" }, el("h2", {}, "Versions"), note.element, list, summary), load };
}
