// Elements, and how numbers look. Texts are always text, never markup.

/** Makes an element: attributes, `on` for listeners, then children (nodes or texts; what is null is left out). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      Object.entries(value).forEach(([event, listener]) => element.addEventListener(event, listener));
    } else if (name === "class") {
      element.className = value;
    } else if (name in element && typeof value !== "string") {
      element[name] = value;
    } else if (value !== null) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined));
  return element;
}

/** A control with its label above it. */
export function field(label, control, more = "") {
  return el("label", { class: "field " + more }, el("span", {}, label), control);
}

export function check(label, control) {
  return el("label", { class: "check" }, control, el("span", {}, label));
}

export function select(options, value, attributes = {}) {
  const control = el("select", attributes, options.map(([v, text]) => el("option", { value: v }, text)));
  control.value = value;
  return control;
}

/** Radio buttons in a row; `value` of the result is the one chosen. */
export function segments(legend, name, options, value, changed) {
  const group = el("fieldset", { class: "segments", role: "radiogroup", "aria-label": legend });
  group.append(...options.map(([v, text]) => el("label", {},
    el("input", { type: "radio", name, value: v, checked: v === value, on: { change: () => changed(v) } }), text)));
  Object.defineProperty(group, "value", { get: () => group.querySelector(":checked").value });
  return group;
}

/** Figures under their names: `set(name, text, unit)`. A text that has not changed touches nothing. */
export function tiles(names) {
  const values = new Map(names.map(([key, title]) => [key, { title, value: el("dd", {}, "–") }]));
  const list = el("dl", { class: "tiles" }, [...values.values()].map(v => el("div", {}, el("dt", {}, v.title), v.value)));
  return {
    element: list,
    set(key, text, unit = "") {
      const value = values.get(key).value;
      const now = text + unit;
      if (value.dataset.now !== now) {
        value.dataset.now = now;
        value.replaceChildren(text, unit ? el("small", {}, " " + unit) : "");
      }
    },
  };
}

/** A line under a form that says what has become of it. */
export function notice() {
  const line = el("p", { class: "note", role: "status" });
  return {
    element: line,
    show(text, kind = "") {
      if (line.textContent !== text || line.className !== "note " + kind) { // a screen reader tells every change
        line.className = "note " + kind;
        line.textContent = text;
      }
    },
    clear() {
      line.textContent = "";
    },
  };
}

export function scale(element, part) {
  element.style.transform = `scaleX(${Math.max(0, Math.min(1, part || 0))})`;
}

export function bar(part) {
  const fill = el("i");
  scale(fill, part);
  return fill;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(n) {
  let unit = 0;
  for (; n >= 1024 && unit < UNITS.length - 1; unit++) {
    n /= 1024;
  }
  return `${number(n)} ${UNITS[unit]}`;
}

/** Three significant digits, no exponent. */
export function number(n) {
  if (!Number.isFinite(n)) {
    return "–";
  }
  return Math.abs(n) >= 100 ? Math.round(n).toLocaleString("en") : String(Number(n.toPrecision(3)));
}

export function count(n, what) {
  return `${whole(n)} ${what}${n === 1 ? "" : "s"}`;
}

export function whole(n) {
  return Number(n).toLocaleString("en");
}

/** A text as it is, in quotes, with white space that can be seen. */
export function quoted(text) {
  return "“" + text.replaceAll("\n", "↵").replaceAll("\t", "⇥") + "”";
}

let lastSaid = 0;

/** Tells a screen reader, politely; `often` things at most once in four seconds. Returns whether it did. */
export function say(text, often = false) {
  if (often && performance.now() - lastSaid <= 4000) {
    return false;
  }
  lastSaid = performance.now();
  document.getElementById("said").textContent = text;
  return true;
}
