// tidestream.admin.v1: one WebSocket with the administrators' token, opened when something is asked for.
import { hasAdminToken, onAccessChange, openAdminSocket, refusal } from "./access.js";

const CHUNK_BYTES = 1 << 20;
let current = null; // {socket, opened, waiting: ref -> {resolve, reject, progress, payload}}
let lastRef = 0;

onAccessChange(changed => {
  if (changed.token) {
    const before = current;
    current = null;
    before?.socket.close();
  }
});

function connect() {
  const socket = openAdminSocket();
  const waiting = new Map();
  const made = { socket, waiting };
  made.opened = new Promise((resolve, reject) => {
    let opened = false;
    socket.onopen = () => {
      opened = true;
      resolve();
    };
    socket.onmessage = event => answer(made, JSON.parse(event.data));
    socket.onclose = async () => {
      if (current === made) {
        current = null;
      }
      const reason = opened ? new Error("the admin channel was closed") : await refusal("v1/admin", true);
      reject(reason);
      waiting.forEach(request => request.reject(reason));
      waiting.clear();
    };
  });
  return made;
}

function answer({ socket, waiting }, message) {
  const request = waiting.get(message.ref);
  if (message.type === "progress") {
    if (message.stage === "receiving" && request?.payload) {
      send(socket, request);
    }
    request?.progress?.(message);
    return;
  }
  waiting.delete(message.ref);
  if (message.type === "ack") {
    request?.resolve(message);
  } else {
    request?.reject(Object.assign(new Error(`${message.code}: ${message.message}`), { code: message.code }));
  }
}

/** The server is ready for the payload. */
function send(socket, request) {
  const payload = request.payload;
  request.payload = null;
  for (let from = 0; from < payload.length; from += CHUNK_BYTES) {
    socket.send(payload.subarray(from, from + CHUNK_BYTES));
  }
}

/**
 * Asks for something; the promise has the `ack`, or an Error with the server's words.
 *
 * @param payload a Uint8Array that follows a `weights.update`
 */
export async function ask(type, fields = {}, { progress, payload } = {}) {
  if (!hasAdminToken()) {
    throw new Error("this needs the administrators' token: enter it under Access");
  }
  current ??= connect();
  const { socket, opened, waiting } = current;
  await opened;
  if (socket.readyState !== WebSocket.OPEN) {
    throw new Error("the admin channel was closed");
  }
  const ref = "c" + ++lastRef;
  return new Promise((resolve, reject) => {
    waiting.set(ref, { resolve, reject, progress, payload });
    socket.send(JSON.stringify({ type, ref, ...fields }));
  });
}
