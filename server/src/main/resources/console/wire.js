// tidestream.v1: streams over one WebSocket, which is opened when the first is asked for.
import { isRefusal, onAccessChange, openStreamSocket, refusal } from "./access.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30000;
const watchers = new Set();
let current = null; // the connection that new streams get: {socket, opened, streams: id -> handlers}
let lastId = 0;
let version = null;
let pause = FIRST_PAUSE_MS;

/** Streams of another key go on until they end; new ones have the new key. */
onAccessChange(changed => {
  if (changed.key) {
    const before = current;
    current = null;
    if (before?.streams.size === 0) {
      before.socket.close();
    }
    if (watchers.size > 0) {
      connection();
    }
  }
});

function connection() {
  current ??= connect();
  return current;
}

function connect() {
  const socket = openStreamSocket();
  const streams = new Map();
  const made = { socket, streams };
  made.opened = new Promise((resolve, reject) => {
    let opened = false;
    socket.onopen = () => {
      opened = true;
      pause = FIRST_PAUSE_MS;
      socket.send(JSON.stringify({ type: "watch", weights: true }));
      resolve();
    };
    socket.onmessage = event => {
      dispatch(streams, JSON.parse(event.data));
      if (current !== made && streams.size === 0) {
        socket.close(); // nobody begins another here
      }
    };
    socket.onclose = async event => {
      const wanted = current === made;
      if (wanted) {
        current = null;
      }
      const error = opened ? new Error(`the connection was closed (${event.code})`) : await refusal("v1/stream");
      reject(error);
      const lost = [...streams.values()];
      streams.clear();
      lost.forEach(handlers => handlers.failed?.({ code: opened ? "connection_lost" : "not_connected", message: error.message }));
      if (wanted && !isRefusal(error)) {
        connectLater();
      }
    };
  });
  made.opened.catch(() => {}); // whoever has a stream there is told
  return made;
}

/** After a loss, while somebody watches the versions and the page is seen; ever later while the server does not answer. */
function connectLater() {
  setTimeout(() => {
    const connectAgain = () => watchers.size > 0 && connection();
    if (document.hidden) {
      document.addEventListener("visibilitychange", connectAgain, { once: true });
    } else {
      connectAgain();
    }
  }, pause);
  pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
}

function dispatch(streams, message) {
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
  connection();
  return () => watchers.delete(watcher);
}

/**
 * Begins a stream. `handlers`: accepted, progress, token, finished, failed; of these `finished` or `failed` is the last.
 * Returns its handle: `grant(n)`, `cancel()`.
 */
export function generate(fields, handlers) {
  const id = "c" + ++lastId;
  const { socket, opened, streams } = connection();
  const send = message => {
    if (streams.has(id)) {
      socket.send(JSON.stringify({ id, ...message }));
    }
  };
  streams.set(id, handlers);
  opened.then(() => send({ type: "generate", ...fields }), () => {});
  return {
    grant: n => send({ type: "credit", n }),
    cancel() {
      if (socket.readyState === WebSocket.OPEN) {
        send({ type: "cancel" });
      } else if (streams.delete(id)) {
        handlers.finished?.({ reason: "cancelled" });
      }
    },
  };
}
