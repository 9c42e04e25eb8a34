// Canary: a share of new streams begins with a version that is held, and is compared with the rest.
import { adminCall, hasAdminToken, isRefusal } from "./access.js";
import { el, field, notice, number, select, whole } from "./dom.js";
import { badge } from "./tokens.js";

const INTERVAL_MS = 1000;
const PATH = "admin/weights/canary";
const FIGURES = [["Streams begun", "streams"], ["Tokens", "tokens"], ["Mean log-probability", "mean_logprob"], ["Streams ended", "ended_streams"],
  ["of these failed", "failed_streams"], ["Rows not finite", "non_finite_rows"]];

/**
 * The card; not shown by a server that keeps no versions.
 *
 * @param changed called when a version was published
 */
export function canaryCard(changed) {
  const note = notice();
  const versions = select([], "", { id: "canary-version" });
  const share = el("input", { id: "canary-share", type: "number", min: "0.1", max: "100", step: "0.1", value: "20" });
  const by = select([["seed", "chance, by the seed"], ["key", "client, by its key"]], "seed", { id: "canary-by" });
  const drop = el("input", { id: "canary-drop", type: "number", min: "0", step: "0.01", placeholder: "no bound" });
  const form = el("form", { class: "fields", on: { submit: start } }, field("Held version", versions), field("Share of new streams, %", share),
    field("Decided by", by), field("Ends at a loss of log-probability of", drop), el("div", { class: "wide" }, el("button", { id: "canary-start" },
      "Start the canary")));
  const none = el("p", { class: "soft" }, "No version is held. A held version is made like any other, and is nobody's until it is published.");
  const figures = el("div", { class: "stack" });
  const element = el("section", { class: "card stack", "aria-label": "Canary", hidden: true }, el("h2", {}, "Canary"), note.element, figures,
    none, form);
  let timer = 0;
  let stopped = false;

  /** What the timeline has seen: whether versions are kept, and which are held. */
  function show(status, held) {
    element.hidden = !status.durable;
    if (!status.durable || stopped) {
      return;
    }
    const chosen = versions.value;
    versions.replaceChildren(...held.toReversed().map(version => el("option", { value: version }, "version " + version)));
    versions.value = held.includes(Number(chosen)) ? chosen : String(held.at(-1) ?? "");
    none.hidden = held.length > 0;
    form.hidden = held.length === 0;
    poll();
  }

  async function poll() {
    clearTimeout(timer);
    try {
      const canary = await adminCall(PATH);
      draw(canary);
      if (canary.state === "running" && !stopped) {
        timer = setTimeout(poll, INTERVAL_MS);
      }
    } catch (error) {
      note.show(error.message, "bad");
      if (!isRefusal(error) && !stopped && hasAdminToken()) {
        timer = setTimeout(poll, INTERVAL_MS);
      }
    }
  }

  function draw(canary) {
    const running = canary.state === "running";
    form.classList.toggle("off", running);
    form.querySelector("button").disabled = running;
    if (canary.state === "none") {
      figures.replaceChildren();
      return;
    }
    const cell = (side, name) => el("td", {}, side[name] === undefined ? "–" : name === "mean_logprob" ? number(side[name]) : whole(side[name]));
    const how = running ? null : el("p", { class: "soft" }, `It ended ${new Date(canary.ended).toLocaleString()}: ${canary.reason}`
      + `${canary.detail ? ", " + canary.detail : ""}.`);
    figures.replaceChildren(el("p", {}, running ? `${number(100 * canary.share)} % of new streams begin with version ${canary.version}.`
      : "The last canary:"), el("table", {},
      el("thead", {}, el("tr", {}, el("th", {}, ""), el("th", { scope: "col" }, "canary ", badge(canary.version)),
        el("th", { scope: "col" }, "others ", badge(canary.baseline_version)))),
      el("tbody", {}, FIGURES.map(([title, name]) => el("tr", {}, el("th", { scope: "row" }, title), cell(canary.canary, name),
        cell(canary.baseline, name))))), ...(running ? [el("div", { class: "row" },
      el("button", { type: "button", id: "canary-promote", on: { click: promote } }, "Publish it"),
      el("button", { type: "button", class: "plain", id: "canary-end", on: { click: endIt } }, "End it"))] : [how]));
  }

  async function change(what, said) {
    try {
      await what();
      note.show(said, "good");
    } catch (error) {
      note.show(error.message, "bad");
    }
    poll();
  }

  function start(event) {
    event.preventDefault();
    const rule = drop.value === "" ? {} : { max_logprob_drop: Number(drop.value) };
    const version = Number(versions.value);
    change(() => adminCall(PATH, "POST", { version, share: Number(share.value) / 100, by: by.value, rule }),
      `Version ${version} is tried.`);
  }

  async function promote() {
    await change(() => adminCall(PATH + "/promote", "POST"), "It is published: all new streams get it.");
    changed();
  }

  function endIt() {
    change(() => adminCall(PATH, "DELETE"), "The canary has ended; streams that have begun with it go on.");
  }

  return {
    element,
    show,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
