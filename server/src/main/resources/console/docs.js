// The documentation: its colours, and a search in what all pages say. Pages and their links work without this.
import { colours } from "./colours.js";
import { count, el, say } from "./dom.js";

const MAX_SHOWN = 40;
const AROUND = 90; // characters of a text before and behind what was found
const root = document.body.dataset.root;
const input = document.getElementById("search");
const found = document.getElementById("found");
const pages = document.querySelector("#pages nav");
let loading = null; // promise of the sections, once somebody searches

function sections() {
  loading ??= fetch(root + "search.json").then(response => {
    if (!response.ok) {
      throw new Error(`HTTP ${response.status}`);
    }
    return response.json();
  }).then(answer => answer.sections.map(s => ({ ...s, names: `${s.title} ${s.heading}`.toLowerCase(), lower: s.text.toLowerCase() })));
  loading.catch(() => loading = null);
  return loading;
}

/** Every word must be there; words in a heading count most, then how often a text has them. */
function rank(section, words) {
  let sum = 0;
  for (const word of words) {
    const named = section.names.includes(word);
    const times = section.lower.split(word).length - 1;
    if (!named && times === 0) {
      return 0;
    }
    sum += (named ? 20 : 0) + Math.min(times, 10);
  }
  return sum;
}

function snippet(section, word) {
  const at = Math.max(0, section.lower.indexOf(word));
  const from = Math.max(0, at - AROUND);
  const to = Math.min(section.text.length, at + word.length + AROUND);
  const has = section.lower.startsWith(word, at);
  return [from > 0 ? "…" : "", section.text.slice(from, at), has ? el("mark", {}, section.text.slice(at, at + word.length)) : "",
    section.text.slice(has ? at + word.length : at, to), to < section.text.length ? "…" : ""];
}

function item(section, word) {
  return el("li", {}, el("a", { href: (root + section.page || "./") + (section.anchor ? "#" + section.anchor : "") },
    section.title, section.heading ? el("span", {}, " › " + section.heading) : null), el("p", { class: "soft" }, snippet(section, word)));
}

async function search() {
  const asked = input.value;
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  pages.hidden = words.length > 0;
  if (words.length === 0) {
    found.replaceChildren();
    return;
  }
  try {
    const hits = (await sections()).map(section => ({ section, rank: rank(section, words) })).filter(hit => hit.rank > 0)
      .sort((a, b) => b.rank - a.rank);
    if (asked !== input.value) {
      return; // more was written meanwhile
    }
    const total = `${count(hits.length, "place")} found`;
    say(total);
    found.replaceChildren(el("p", { class: "soft" }, hits.length > MAX_SHOWN ? `${total}, the first ${MAX_SHOWN} are:` : total),
      el("ol", {}, hits.slice(0, MAX_SHOWN).map(hit => item(hit.section, words[0]))));
  } catch (error) {
    found.replaceChildren(el("p", { class: "note bad" }, `The search does not work: ${error.message}`));
  }
}

colours();
const here = document.querySelector("header nav [aria-current]");
here.parentElement.scrollLeft = here.offsetLeft - 40; // in a narrow window the links scroll
input.addEventListener("input", search);
input.addEventListener("focus", () => sections().catch(() => {})); // said when something is searched
if (input.value) {
  search(); // the browser has kept it
}
