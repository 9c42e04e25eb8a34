// Load: what streams see of the server, from /metrics, asked for every two seconds while the page is open.
import { timeChart } from "./chart.js";
import { el, notice, number, tiles, whole } from "./dom.js";
import { buckets, gauge, quantile, scrape } from "./metrics.js";

const INTERVAL_MS = 2000;
const SHOWN_S = 120;
const WINDOW = 5; // scrapes that a quantile is of: ten seconds
const KEPT = SHOWN_S * 1000 / INTERVAL_MS + 2;

export function load() {
  const figures = tiles([["running", "Running"], ["queued", "Waiting"], ["parked", "No demand"], ["speed", "Tokens"], ["kv", "KV memory"],
    ["version", "Weights"]]);
  const note = notice();
  const charts = {
    ttft: timeChart("Time to first token", "ms", ["p50", "p99"]),
    next: timeChart("From one token to the next", "ms", ["p50", "p99"]),
    speed: timeChart("Tokens of all streams", "tokens/s", ["tokens/s"]),
    streams: timeChart("Streams", "streams", ["running", "waiting", "no demand"]),
    kv: timeChart("KV memory lent", "% of the budget", ["KV memory"]),
  };
  const series = Object.fromEntries(Object.keys(charts).map(name => [name, [[], [], []]]));
  const scrapes = []; // {time, tokens, ttft, next}
  const began = performance.now();
  let timer = 0;

  function keep(name, time, ...values) {
    values.forEach((value, i) => {
      series[name][i].push([time, value]);
      series[name][i].splice(0, series[name][i].length - KEPT);
    });
  }

  async function poll() {
    try {
      if (!document.hidden) {
        take(await scrape(), performance.now());
        note.clear();
      }
    } catch (error) {
      note.show(error.message, "bad");
    }
    if (timer !== -1) {
      timer = setTimeout(poll, INTERVAL_MS);
    }
  }

  function take(m, time) {
    const now = { time, tokens: gauge(m, "engine_generated_tokens_total"),
      ttft: buckets(m, "stream_first_token_seconds"), next: buckets(m, "stream_next_token_seconds") };
    const last = scrapes.at(-1);
    const before = scrapes.at(-WINDOW) ?? scrapes[0];
    const streams = ["running", "queued", "parked"].map(kind => gauge(m, `engine_${kind}_streams`));
    const kv = 100 * gauge(m, "engine_kv_used_bytes") / gauge(m, "engine_kv_budget_bytes");
    const speed = last ? Math.max(0, now.tokens - last.tokens) / (time - last.time) * 1000 : NaN;
    const ms = (name, q) => before ? 1000 * quantile(q, now[name], before[name]) : NaN;
    keep("ttft", time, ms("ttft", 0.5), ms("ttft", 0.99));
    keep("next", time, ms("next", 0.5), ms("next", 0.99));
    keep("speed", time, speed);
    keep("streams", time, ...streams);
    keep("kv", time, kv);
    scrapes.push(now);
    scrapes.splice(0, scrapes.length - WINDOW - 1);
    ["running", "queued", "parked"].forEach((kind, i) => figures.set(kind, whole(streams[i])));
    figures.set("speed", number(speed), "per s");
    figures.set("kv", number(kv), "%");
    figures.set("version", "v" + gauge(m, "weights_version"));
    const span = Math.min(SHOWN_S, 30 * Math.max(1, Math.ceil((time - began) / 30000)));
    const names = { ttft: 2, next: 2, speed: 1, streams: 3, kv: 1 };
    Object.entries(charts).forEach(([name, chart]) => chart.draw(time, series[name].slice(0, names[name]), span));
  }

  poll();
  return {
    title: "Load",
    element: el("div", { class: "stack" }, el("div", {}, el("h1", {}, "Load"),
      el("p", { class: "lead" },
        "What streams see of the server: quantiles of the last ten seconds, from /metrics every two. Dashboards for longer times are "
          + "made of the same figures.")),
    figures.element, note.element, el("div", { class: "halves" }, Object.values(charts).map(chart => chart.element))),
    leave() {
      clearTimeout(timer);
      timer = -1;
    },
  };
}
