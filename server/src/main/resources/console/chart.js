// Charts of lines over time as SVG, with the look of the load tool's report.
import { el, number } from "./dom.js";

const WIDTH = 570;
const LEFT = 62;
const RIGHT = 20;
const TOP = 34;
const BOTTOM = 46;
const TICKS = 4;

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
}

/** 1, 2, 2.5 or 5 times a power of ten. */
function step(max) {
  if (!(max > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(max / TICKS));
  return [1, 2, 2.5, 5, 10].map(lead => lead * power).find(s => max / s <= TICKS * 1.0001);
}

/**
 * A chart of the recent past. `draw(now, points, seconds)` takes, for each name, [time in ms, value]; NaN is a gap.
 */
export function timeChart(title, unit, names, height = 240) {
  const canvas = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title });
  const element = el("figure", {}, el("figcaption", {}, title), canvas);
  let seconds = 30;
  const x = age => WIDTH - RIGHT - age / seconds * (WIDTH - LEFT - RIGHT);

  function draw(now, lines, span) {
    seconds = span;
    const values = lines.flat().map(([, value]) => value).filter(Number.isFinite);
    if (values.length === 0) {
      lines = names.map(() => []);
    }
    const by = step(Math.max(...values, 0));
    const most = by * Math.max(1, Math.ceil(Math.max(...values, 0) / by - 1e-9));
    const y = value => height - BOTTOM - value / most * (height - TOP - BOTTOM);
    const parts = [];
    for (let value = 0; value <= most * 1.0001; value += by) {
      parts.push(svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
        svg("text", { class: "tick", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, number(value)));
    }
    for (let age = 0; age <= seconds; age += seconds / 3) {
      parts.push(svg("line", { class: "grid", x1: x(age), x2: x(age), y1: TOP, y2: height - BOTTOM }),
        svg("text", { class: "tick", x: x(age), y: height - BOTTOM + 18, "text-anchor": "middle" }, age === 0 ? "now" : `−${number(age)}`));
    }
    parts.push(svg("text", { class: "label", x: (LEFT + WIDTH - RIGHT) / 2, y: height - 6, "text-anchor": "middle" }, "seconds"),
      svg("text", { class: "label", x: 14, y: (TOP + height - BOTTOM) / 2, "text-anchor": "middle",
        transform: `rotate(-90 14 ${(TOP + height - BOTTOM) / 2})` }, unit));
    let at = LEFT;
    names.forEach((name, i) => {
      parts.push(svg("rect", { class: "c" + i, x: at, y: 10, width: 10, height: 10 }), svg("text", { class: "legend", x: at + 15, y: 19 },
        name));
      at += 40 + 9 * name.length;
      parts.push(...line(lines[i], i, now, y));
    });
    if (values.length === 0) {
      parts.push(svg("text", { class: "label", x: (LEFT + WIDTH - RIGHT) / 2, y: (TOP + height - BOTTOM) / 2, "text-anchor": "middle" },
        "nothing in this time"));
    }
    canvas.replaceChildren(...parts);
    const last = names.map((name, i) => `${name} ${number(lines[i].at(-1)?.[1] ?? NaN)}`).join(", ");
    canvas.setAttribute("aria-label", `${title}, ${unit}: ${last}`);
  }

  function line(points, i, now, y) {
    let path = "";
    let alone = true; // a point without a neighbour needs a dot to be seen
    const parts = [];
    points.filter(([time]) => now - time <= seconds * 1000).forEach(([time, value], n, all) => {
      if (Number.isFinite(value)) {
        const joined = n > 0 && Number.isFinite(all[n - 1][1]);
        alone = !joined && !Number.isFinite(all[n + 1]?.[1]);
        const px = x((now - time) / 1000).toFixed(1);
        const py = y(value).toFixed(1);
        path += `${joined ? "L" : "M"}${px} ${py}`;
        if (alone) {
          parts.push(svg("circle", { class: "c" + i, cx: px, cy: py, r: 2.5 }));
        }
      }
    });
    return path ? [svg("path", { class: "line c" + i, d: path }), ...parts] : parts;
  }
  draw(0, names.map(() => []), seconds);
  return { element, draw };
}
