// The page: which part of it is shown, its colours, and what the foot says of the server.
import { askForAccess, call, onAccessChange } from "./access.js";
import { cluster } from "./cluster.js";
import { colours } from "./colours.js";
import { compare } from "./compare.js";
import { whole } from "./dom.js";
import { head } from "./head.js";
import { load } from "./load.js";
import { playground } from "./playground.js";
import { streams } from "./streams.js";
import { badge } from "./tokens.js";
import { weights } from "./weights.js";
import { watchVersions } from "./wire.js";

const PAGES = { playground, compare, streams, weights, head, load, cluster };
const main = document.getElementById("main");
let page = null;

function show() {
  const asked = location.hash.replace("#/", "");
  const name = Object.hasOwn(PAGES, asked) ? asked : "playground";
  const first = page === null;
  page?.leave?.();
  page = PAGES[name]();
  document.title = `${page.title} – Tidestream`;
  document.querySelectorAll("header nav a").forEach(link => {
    if (link.hash === "#/" + name) {
      link.setAttribute("aria-current", "page");
      link.parentElement.scrollLeft = link.offsetLeft - 40;
    } else {
      link.removeAttribute("aria-current");
    }
  });
  main.replaceChildren(page.element);
  if (!first) {
    main.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

async function describeModel() {
  const foot = document.getElementById("model");
  try {
    const model = (await call("v1/models")).data[0];
    const parameters = model.parameters ? `, ${whole(model.parameters)} parameters` : "";
    foot.textContent = `${model.id}${parameters}, context ${whole(model.context_length)}, vocabulary ${whole(model.vocabulary_size)}`;
  } catch (error) {
    foot.textContent = error.message;
    if (error.status === 401) {
      askForAccess();
    }
  }
}

colours();
document.getElementById("access").addEventListener("click", () => askForAccess());
onAccessChange(changed => changed.key && describeModel());
watchVersions(version => document.getElementById("versions").replaceChildren("new streams get ", badge(version, "weights v" + version)));
addEventListener("hashchange", show);
document.querySelector(".skip").addEventListener("click", event => {
  event.preventDefault(); // the hash is the page
  main.focus();
});
describeModel();
show();
Object.defineProperty(window, "tidestream", { value: { get page() { return page; } } }); // for the curious, and for tests
