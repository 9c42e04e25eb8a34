// Streams: all that the scheduler has now.
import { ask } from "./admin.js";
import { hasAdminToken, isRefusal, onAccessChange, tokenWanted } from "./access.js";
import { bar, el, notice, number, tiles, whole } from "./dom.js";
import { badge } from "./tokens.js";

const INTERVAL_MS = 1000;
const TEXTS = ["State", "Adapter"]; // columns that begin at the left
const COLUMNS = 8;
const STATES = { running: "running", queued: "waits for a slot", parked: "no demand", stopping: "stops" };

export function streams() {
  const figures = tiles([["running", "Running"], ["queued", "Waiting"], ["parked", "No demand"], ["kv", "KV memory"]]);
  const note = notice();
  const body = el("tbody");
  const table = el("div", { class: "card scroll", tabIndex: 0, role: "region", "aria-label": "Streams" }, el("table", {},
    el("thead", {}, el("tr", {}, ["Stream", "State", "Demand", "Prompt", "Position", "Weights", "Adapter", "Age"].map(name =>
      el("th", { class: TEXTS.includes(name) ? "text" : "", scope: "col" }, name)))), body));
  const place = el("div", { class: "stack" });
  let timer = 0;
  let round = 0; // of polls; another one begins when the token changes

  function layOut() {
    clearTimeout(timer);
    round++;
    if (hasAdminToken()) {
      place.replaceChildren(figures.element, note.element, table);
      poll();
    } else {
      place.replaceChildren(tokenWanted("The list of streams"));
    }
  }

  async function poll() {
    const mine = round;
    let refused = false;
    try {
      if (!document.hidden) {
        show(await ask("streams"), await ask("stats"));
        note.clear();
      }
    } catch (error) {
      note.show(error.message, "bad");
      refused = isRefusal(error); // wrong tokens are counted against the address, so the same one is not shown again
    }
    if (mine === round && !refused) {
      timer = setTimeout(poll, INTERVAL_MS);
    }
  }

  function show(answer, stats) {
    const engine = stats.engine;
    figures.set("running", whole(engine.running));
    figures.set("queued", whole(engine.queued));
    figures.set("parked", whole(engine.parked));
    figures.set("kv", number(100 * engine.kv_used_bytes / engine.kv_budget_bytes), "%");
    const rows = answer.streams.map(row);
    const left = answer.total - answer.streams.length;
    if (rows.length === 0) {
      rows.push(el("tr", {}, el("td", { colSpan: COLUMNS }, "No stream runs.")));
    } else if (left > 0) {
      rows.push(el("tr", {}, el("td", { colSpan: COLUMNS }, `and ${left} more`)));
    }
    body.replaceChildren(...rows);
  }

  function row(s) {
    const position = s.prompt_tokens + s.generated;
    return el("tr", {}, el("td", {}, String(s.stream)),
      el("td", { class: "text" }, el("span", { class: "state " + s.state }, STATES[s.state] ?? s.state)),
      el("td", {}, s.demand >= 2 ** 31 - 1 ? "unlimited" : whole(s.demand)),
      el("td", {}, whole(s.prompt_tokens)),
      el("td", {}, `${whole(position)} of ${whole(s.positions)}`, el("span", { class: "meter", "aria-hidden": "true" },
        bar(position / s.positions))),
      el("td", {}, badge(s.weights_version)),
      el("td", { class: "text" }, s.adapter ?? "–"),
      el("td", {}, number(s.age_ms / 1000) + " s"));
  }

  const forget = onAccessChange(layOut);
  layOut();
  return {
    title: "Streams",
    element: el("div", {}, el("h1", {}, "Streams"),
      el("p", { class: "lead" },
        "What the scheduler has at the end of a step, once a second. Demand is what a client can take now: a stream without it is in no "
          + "batch."), place),
    leave() {
      clearTimeout(timer);
      round++;
      forget();
    },
  };
}
