// One stream and what is shown of it: its text, its figures, the demand it gets.
import { el, number, say, tiles, whole } from "./dom.js";
import { Pace } from "./pace.js";
import { badge } from "./tokens.js";
import { generate } from "./wire.js";

const WINDOW_MS = 2000; // that tokens/s is counted over
const PAINT_MS = 100;

/** Tokens of the recent past. */
class Speed {
  #times = [];
  #head = 0;

  note(now) {
    this.#times.push(now);
    if (this.#head > 4096) {
      this.#times.splice(0, this.#head);
      this.#head = 0;
    }
  }

  perSecond(now) {
    while (this.#head < this.#times.length && this.#times[this.#head] < now - WINDOW_MS) {
      this.#head++;
    }
    const n = this.#times.length - this.#head;
    const span = Math.min(WINDOW_MS, now - (this.#times[this.#head] ?? now));
    return n > 1 && span > 50 ? (n - 1) / span * 1000 : 0;
  }
}

export function streamTiles() {
  return tiles([["state", "State"], ["ttft", "First token"], ["speed", "Tokens/s"], ["tokens", "Tokens"], ["version", "Weights"]]);
}

/**
 * Runs one stream into a view.
 *
 * @param options `view`, `figures` of `streamTiles`, `rate` of its demand, `slider` that shows its credit (may be absent)
 * @param ended called with the last message: `finished` or `failed`
 */
export function run(fields, { view, figures, rate, slider, quiet }, ended) {
  const pace = new Pace(rate);
  const speed = new Speed();
  const begun = performance.now();
  let first = 0;
  let count = 0;
  let version = 0;
  let state = "waiting";
  let spoken = "";
  let abandoned = false;

  const paint = () => {
    figures.set("state", pace.held && state === "running" ? "held" : state);
    figures.set("tokens", whole(count));
    figures.set("speed", number(speed.perSecond(performance.now())));
    slider?.show(pace);
    spoken = spoken.slice(-300);
    if (spoken.length > 40 && say(spoken, true)) {
      spoken = "";
    }
  };
  const timer = setInterval(paint, PAINT_MS);
  const end = (word, message) => {
    state = word;
    clearInterval(timer);
    pace.end();
    if (abandoned) {
      return;
    }
    paint();
    slider?.show(null);
    if (message.timing) {
      figures.set("speed", number(message.timing.tokens_per_s));
    }
    if (!quiet) {
      say(`${word}, ${count} tokens`);
    }
    ended(message);
  };
  figures.set("ttft", "–");
  figures.set("version", "–");
  const stream = generate({ ...fields, credit: pace.first() }, {
    accepted(message) {
      state = rate === 0 ? "held" : "waiting";
      version = message.weights_version;
      figures.set("version", "v" + version);
      pace.begin(n => stream.grant(n));
    },
    progress(message) {
      state = `prompt ${Math.round(100 * message.prefilled / message.of)} %`;
    },
    token(message) {
      if (abandoned) {
        return;
      }
      const now = performance.now();
      if (count++ === 0) {
        first = now;
        state = "running";
        figures.set("ttft", number(first - begun), "ms");
      }
      if (message.weights_version !== version) {
        version = message.weights_version;
        figures.set("version", "v" + version);
      }
      speed.note(now);
      pace.token();
      spoken += quiet ? "" : message.text;
      view.push({ seq: message.seq, token: message.token, text: message.text, version: message.weights_version,
        logprob: message.logprob, top: message.top_logprobs });
    },
    finished: message => end(message.reason === "cancelled" ? "stopped" : message.reason === "length" ? "length" : "ended", message),
    failed: message => end("failed", message),
  });
  paint();
  return {
    pace,
    stop: () => stream.cancel(),
    rate: value => pace.rate(value),
    /** Stops it, and shows and tells nothing more of it. */
    abandon() {
      abandoned = true;
      clearInterval(timer);
      pace.end();
      figures.set("state", "stopped");
      slider?.show(null);
      stream.cancel();
    },
  };
}

/** What the colours mean. */
export function colourKey() {
  const swatch = (shade, text) => el("span", { class: "swatch " + shade }, text);
  return el("div", { class: "key" }, "Probability:", swatch("d0", "90 % and more"), swatch("d1", "below 90 %"), swatch("d2", "below 50 %"),
    swatch("d3", "below 20 %"), swatch("d4", "below 5 %"), el("span", {}, "Weights, where they change: ", badge(2)));
}
