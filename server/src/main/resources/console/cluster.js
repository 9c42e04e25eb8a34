// Cluster: the nodes that a server knows, itself among them.
import { adminCall, hasAdminToken, isRefusal, onAccessChange, tokenWanted } from "./access.js";
import { bar, el, notice, number, tiles, whole } from "./dom.js";
import { badge } from "./tokens.js";

const INTERVAL_MS = 2000;
const NOT_FOUND = 404;
const COLUMNS = [["Node", true], ["Does", true], ["Streams", false], ["Waiting", false], ["KV memory", false], ["Weights", false],
  ["Adapters", true], ["State", true]]; // and whether they begin at the left

export function cluster() {
  const figures = tiles([["nodes", "Nodes"], ["workers", "Workers"], ["running", "Streams"], ["relayed", "Relayed here"],
    ["failovers", "Taken over"], ["version", "Weights"]]);
  const note = notice();
  const body = el("tbody");
  const table = el("div", { class: "card scroll", tabIndex: 0, role: "region", "aria-label": "Nodes" }, el("table", {},
    el("thead", {}, el("tr", {}, COLUMNS.map(([name, text]) => el("th", { class: text ? "text" : "", scope: "col" }, name)))), body));
  const place = el("div", { class: "stack" });
  let timer = 0;
  let round = 0; // of polls; another one begins when the token changes

  function layOut() {
    clearTimeout(timer);
    round++;
    if (hasAdminToken()) {
      place.replaceChildren(note.element, figures.element, table);
      poll();
    } else {
      place.replaceChildren(tokenWanted("The list of nodes"));
    }
  }

  async function poll() {
    const mine = round;
    let refused = false;
    try {
      if (!document.hidden) {
        show(await adminCall("admin/cluster"));
        note.clear();
      }
    } catch (error) {
      refused = isRefusal(error);
      if (error.status === NOT_FOUND) {
        place.replaceChildren(el("div", { class: "card" }, el("p", { class: "lead" },
          "This server is by itself: it was started without options of a cluster.")));
      } else {
        note.show(error.message, "bad");
      }
    }
    if (mine === round && !refused) {
      timer = setTimeout(poll, INTERVAL_MS);
    }
  }

  function show(answer) {
    const nodes = answer.nodes.toSorted((a, b) => a.node.localeCompare(b.node));
    figures.set("nodes", whole(nodes.length));
    figures.set("workers", whole(answer.reachable_workers.length));
    figures.set("running", whole(nodes.reduce((sum, node) => sum + node.running, 0)));
    figures.set("relayed", whole(answer.relayed.running));
    figures.set("failovers", whole(answer.relayed.failovers));
    figures.set("version", "v" + answer.published_version);
    body.replaceChildren(...nodes.map(node => row(node, answer)));
  }

  function row(node, answer) {
    const worker = node.roles.includes("worker");
    const reached = answer.reachable_workers.includes(node.node);
    const state = node.draining ? "takes no more" : worker && !reached ? "not reached" : "serves";
    const kind = node.draining ? "queued" : worker && !reached ? "parked" : "running";
    return el("tr", {}, el("td", {}, el("strong", {}, node.node), node.node === answer.node ? el("span", { class: "soft" }, " (this one)") : null,
      el("div", { class: "soft" }, node.url)),
    el("td", { class: "text" }, node.roles.join(", ")),
    el("td", {}, worker ? `${whole(node.running)} of ${whole(node.slots)}` : `${whole(node.relayed)} relayed`),
    el("td", {}, worker ? whole(node.waiting) : "–"),
    el("td", {}, worker ? [number(100 * node.kv_use) + " %", el("span", { class: "meter", "aria-hidden": "true" }, bar(node.kv_use))] : "–"),
    el("td", {}, badge(node.applied_version)),
    el("td", { class: "text" }, node.adapters.join(", ") || "–"),
    el("td", { class: "text" }, el("span", { class: "state " + kind }, state)));
  }

  const forget = onAccessChange(layOut);
  layOut();
  return {
    title: "Cluster",
    element: el("div", {}, el("h1", {}, "Cluster"),
      el("p", { class: "lead" },
        "The nodes that this one knows, and the streams that it relays to workers. A stream of a worker that is lost goes on at another."),
      place),
    leave() {
      clearTimeout(timer);
      round++;
      forget();
    },
  };
}
