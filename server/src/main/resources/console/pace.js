// How fast a stream is asked for tokens: the credit of tidestream.v1, granted a little ahead, or at a rate, or not at all.
import { el, scale } from "./dom.js";

const AHEAD = 32; // what may still come when the stream is held
const TICK_MS = 50;
const RATES = [0, 1, 2, 5, 10, 20, 50, 100, 200, 400, Infinity];

function words(rate) {
  return rate === 0 ? "held" : rate === Infinity ? "as fast as they come" : `${rate} tokens/s`;
}

/** One stream's credit. */
export class Pace {
  #rate;
  #outstanding = 0;
  #allowance = 1;
  #last = 0;
  #grant = null;
  #timer = 0;

  constructor(rate) {
    this.#rate = rate;
  }

  /** The `credit` of its `generate`. */
  first() {
    return this.#outstanding = this.#rate === Infinity ? AHEAD : this.#rate === 0 ? 0 : 1;
  }

  /** Grants from now on by calling this. */
  begin(grant) {
    this.#grant = grant;
    this.#last = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  rate(rate) {
    this.#rate = rate;
    this.#allowance = 0;
    this.#tick();
  }

  /** A token has come. */
  token() {
    this.#outstanding--;
    if (this.#rate === Infinity && this.#outstanding <= AHEAD / 2) {
      this.#give(AHEAD - this.#outstanding);
    }
  }

  end() {
    clearInterval(this.#timer);
    this.#grant = null;
  }

  get outstanding() {
    return this.#outstanding;
  }

  get held() {
    return this.#grant !== null && this.#outstanding === 0 && this.#rate === 0;
  }

  #tick() {
    const now = performance.now();
    const passed = Math.min(1, (now - this.#last) / 1000);
    this.#last = now;
    if (this.#rate === Infinity) {
      this.#give(AHEAD - this.#outstanding);
      return;
    }
    const most = Math.max(1, this.#rate * 0.2);
    this.#allowance = Math.min(most, this.#allowance + this.#rate * passed);
    const n = Math.min(Math.floor(this.#allowance), AHEAD - this.#outstanding);
    if (n > 0) {
      this.#allowance -= n;
      this.#give(n);
    }
  }

  #give(n) {
    if (this.#grant && n > 0) {
      this.#outstanding += n;
      this.#grant(n);
    }
  }
}

/** The slider: `element`, `rate`, and `show(pace)` for what is left of a stream's credit. */
export function paceSlider(start, changed) {
  const fill = el("i");
  const tank = el("div", { class: "tank", "aria-hidden": "true" }, fill);
  const left = el("span", { class: "soft left" }, "credit left: 0");
  const slider = el("input", { type: "range", id: "pace", min: "0", max: String(RATES.length - 1), step: "1",
    value: String(RATES.indexOf(start)) });
  const output = el("output", { for: "pace" });
  const tell = () => {
    output.textContent = words(RATES[slider.value]);
    slider.setAttribute("aria-valuetext", output.textContent);
  };
  slider.addEventListener("input", () => {
    tell();
    changed(RATES[slider.value]);
  });
  tell();
  let shown = -1;
  return {
    element: el("div", { class: "pace" }, el("label", { for: "pace" }, "Credit"), slider, output, tank, left),
    get rate() {
      return RATES[slider.value];
    },
    show(pace) {
      const n = pace?.outstanding ?? 0;
      tank.classList.toggle("held", pace?.held ?? false);
      if (n !== shown) {
        shown = n;
        scale(fill, n / AHEAD);
        left.textContent = "credit left: " + n;
      }
    },
  };
}
