// tidestream.v1: streams over one WebSocket, which is opened when the first is asked for.
import { onAccessChange, openStreamSocket, refusal } from "./access.js";

const watchers = new Set();
let socket = null;
let opening = null;
let lastId = 0;
let version = null;
const streams = new Map(); // id -> handlers

onAccessChange(() => socket?.close());

function open() {
  opening ??= new Promise((resolve, reject) => {
    const s = openStreamSocket();
    let opened = false;
    s.onopen = () => {
      opened = true;
      socket = s;
      s.send(JSON.stringify({ type: "watch", weights: true }));
      resolve(s);
    };
    s.onmessage = event => dispatch(JSON.parse(event.data));
    s.onclose = async event => {
      opening = null;
      socket = null;
      const reason = opened ? `the connection was closed (${event.code})` : await refusal("v1/stream");
      reject(new Error(reason));
      const lost = [...streams.values()];
      streams.clear();
      lost.forEach(handlers => handlers.failed?.({ code: "connection_lost", message: reason }));
    };
  });
  return opening;
}

function dispatch(message) {
  if (message.type === "weights_changed") {
    version = message.weights_version;
    watchers.forEach(watcher => watcher(version));
    return;
  }
  const handlers = streams.get(message.id);
  if (message.type === "finished" || message.type === "failed") {
    streams.delete(message.id);
  }
  handlers?.[message.type]?.(message);
}

/** Calls back with the version of the weights that new streams get; returns what ends that. */
export function watchVersions(watcher) {
  watchers.add(watcher);
  if (version !== null) {
    watcher(version);
  }
  open().catch(() => {}); // whoever begins a stream is told why there is none
  return () => watchers.delete(watcher);
}

/**
 * Begins a stream. `handlers`: accepted, progress, token, finished, failed; of these `finished` or `failed` is the last.
 * Returns its handle: `grant(n)`, `cancel()`.
 */
export function generate(fields, handlers) {
  const id = "c" + ++lastId;
  const send = message => {
    if (streams.has(id)) {
      socket?.send(JSON.stringify({ id, ...message }));
    }
  };
  streams.set(id, handlers);
  open().then(() => send({ type: "generate", ...fields })).catch(error => {
    if (streams.delete(id)) {
      handlers.failed?.({ code: "not_connected", message: error.message });
    }
  });
  return {
    grant: n => send({ type: "credit", n }),
    cancel: () => {
      if (socket) {
        send({ type: "cancel" });
      } else if (streams.delete(id)) {
        handlers.finished?.({ reason: "cancelled" });
      }
    },
  };
}
