// tidestream.v1: streams over one WebSocket, which is opened when the first is asked for.
import { onAccessChange, openStreamSocket, refusal } from "./access.js";

const watchers = new Set();
let current = null; // the connection that new streams get: {socket, opened, streams: id -> handlers}
let lastId = 0;
let version = null;

/** Streams of another key go on until they end; new ones have the new key. */
onAccessChange(changed => {
  if (changed.key) {
    const before = current;
    current = null;
    if (before?.streams.size === 0) {
      before.socket.close();
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
      if (current === made) {
        current = null;
      }
      const reason = opened ? `the connection was closed (${event.code})` : await refusal("v1/stream");
      reject(new Error(reason));
      const lost = [...streams.values()];
      streams.clear();
      lost.forEach(handlers => handlers.failed?.({ code: opened ? "connection_lost" : "not_connected", message: reason }));
    };
  });
  made.opened.catch(() => {}); // whoever has a stream there is told
  return made;
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
