// The API key and the administrators' token: variables of this module, gone with the page. Never stored, never in an address.
import { el, field } from "./dom.js";

const KEY_PREFIX = "tidestream.bearer.";
const listeners = new Set(); // of {key, token}: which of them have changed
let apiKey = "";
let adminToken = "";

export function url(path) {
  return new URL(path, document.baseURI.split("#")[0]);
}

function socketUrl(path) {
  const address = url(path);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address;
}

export function hasAdminToken() {
  return adminToken !== "";
}

/** Calls back when key or token change, and says which; returns what ends that. */
export function onAccessChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function openStreamSocket() {
  const offers = ["tidestream.v1"];
  return new WebSocket(socketUrl("v1/stream"), apiKey ? [...offers, KEY_PREFIX + base64url(apiKey)] : offers);
}

export function openAdminSocket() {
  return new WebSocket(socketUrl("v1/admin"), ["tidestream.admin.v1", "bearer." + adminToken]);
}

/** Why a WebSocket was refused, as an Error with the HTTP status if there was an answer: a browser does not tell, plain HTTP does. */
export async function refusal(path, admin = false) {
  const secret = admin ? adminToken : apiKey;
  try {
    const response = await fetch(url(path), { headers: secret ? { Authorization: "Bearer " + secret } : {}, cache: "no-store" });
    if (response.status === 426 || response.ok) {
      return new Error("the connection was lost");
    }
    const body = await response.json().catch(() => ({}));
    return Object.assign(new Error(body.error?.message ?? `HTTP ${response.status}`), { status: response.status });
  } catch {
    return new Error("the server does not answer");
  }
}

/** Whether it is useless to ask again with the same key or token. */
export function isRefusal(error) {
  return error.status >= 400 && error.status < 500;
}

/** JSON over HTTP with the key; throws an Error with the server's words. */
export function call(path, body) {
  return request(path, apiKey, body === undefined ? "GET" : "POST", body);
}

/** The same with the administrators' token; a body may also be a Uint8Array. */
export function adminCall(path, method = "GET", body = undefined, headers = {}) {
  return request(path, adminToken, method, body, headers);
}

async function request(path, secret, method, body, more = {}) {
  const headers = { ...more, ...(secret ? { Authorization: "Bearer " + secret } : {}) };
  const json = body !== undefined && !(body instanceof Uint8Array);
  const response = await fetch(url(path), { method, headers: json ? { ...headers, "Content-Type": "application/json" } : headers,
    body: json ? JSON.stringify(body) : body });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw Object.assign(new Error(answer.error?.message ?? `HTTP ${response.status}`), { status: response.status });
  }
  return answer;
}

/** Asks for key and token. */
export function askForAccess(focus = "key") {
  const secret = (id, value) => el("input", { id, type: "password", value, autocomplete: "off", spellcheck: false, maxLength: 1024 });
  const key = secret("api-key", apiKey);
  const token = secret("admin-token", adminToken);
  const dialog = el("dialog", { "aria-labelledby": "access-title" },
    el("form", { method: "dialog", on: { submit: () => set(key.value.trim(), token.value.trim()) } },
      el("h2", { id: "access-title" }, "Access"),
      field("API key, if the server asks for one", key),
      field("Admin token, for Streams, Weights and Head", token),
      el("p", { class: "soft" }, "Both are kept in the memory of this page only, and are gone when it is closed or loaded again. "
        + "The token is in the file of --admin-token-file, or was printed when the server started."),
      el("div", { class: "row" }, el("button", { id: "access-save" }, "Use them"),
        el("button", { type: "button", class: "plain", on: { click: () => dialog.close() } }, "Cancel"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  (focus === "token" ? token : key).focus();
}

function set(key, token) {
  const changed = { key: key !== apiKey, token: token !== adminToken };
  apiKey = key;
  adminToken = token;
  listeners.forEach(listener => listener(changed));
}

/** What a page shows in place of what needs the token. */
export function tokenWanted(what) {
  return el("div", { class: "card stack" }, el("p", { class: "lead" }, what + " needs the administrators' token."),
    el("div", {}, el("button", { type: "button", on: { click: () => askForAccess("token") } }, "Enter the admin token")));
}
