// One token: its number, how likely it was, and what else could have come.
import { call } from "./access.js";
import { bar, el, number, quoted, say } from "./dom.js";
import { badge } from "./tokens.js";

const texts = new Map(); // token -> promise of its text; bounded by the vocabulary

function textOf(token) {
  if (!texts.has(token)) {
    const asked = call("detokenize", { tokens: [token] }).then(answer => answer.content);
    asked.catch(() => texts.delete(token));
    texts.set(token, asked);
  }
  return texts.get(token);
}

function percent(logprob) {
  const p = 100 * Math.exp(logprob);
  return p >= 0.01 ? number(p) + " %" : "< 0.01 %";
}

/** The most likely ones, and the token itself if it was none of them. */
function withTaken(token) {
  const top = token.top ?? [];
  return top.length === 0 || top.some(other => other.token === token.token) ? top : [...top, { token: token.token,
    logprob: token.logprob }];
}

export function detail() {
  const body = el("div");
  const element = el("section", { class: "card detail", "aria-labelledby": "detail-title" }, el("h2", { id: "detail-title" }, "Token"),
    body);
  let shown = null;
  const explain = () => body.replaceChildren(el("p", { class: "soft" },
    "Choose a token in the text: by a click, or with the arrow keys while the text has the focus."));
  explain();
  return {
    element,
    async show(token, index) {
      shown = token;
      if (!token) {
        explain();
        return;
      }
      const likely = token.logprob === undefined ? "" : `, probability ${percent(token.logprob)}`;
      say(`token ${index + 1}, ${token.text}${likely}`);
      const alternatives = el("div", { class: "alternatives" });
      body.replaceChildren(
        el("div", { class: "row" }, el("strong", { class: "mono" }, quoted(token.text)), badge(token.version, "weights v" + token.version),
          el("span", { class: "soft" }, `token ${token.token}, number ${index + 1}${likely}`)),
        alternatives);
      for (const other of withTaken(token)) {
        const text = await textOf(other.token).catch(() => `token ${other.token}`);
        if (shown !== token) {
          return;
        }
        alternatives.append(
          el("span", { class: "mono" + (other.token === token.token ? " taken" : "") }, quoted(text)),
          el("div", { class: "bar", "aria-hidden": "true" }, bar(Math.exp(other.logprob))),
          el("span", { class: "num" }, percent(other.logprob)));
      }
    },
  };
}
