// tidestream.admin.v1: one WebSocket with the administrators' token, opened when something is asked for.
import { onAccessChange, openAdminSocket, refusal } from "./access.js";

const CHUNK_BYTES = 1 << 20;
let opening = null;
let socket = null;
let lastRef = 0;
const waiting = new Map(); // ref -> {resolve, reject, progress, payload}

onAccessChange(() => {
  socket?.close();
  opening = null;
});

function open() {
  opening ??= new Promise((resolve, reject) => {
    const s = openAdminSocket();
    let opened = false;
    s.onopen = () => {
      opened = true;
      socket = s;
      resolve(s);
    };
    s.onmessage = event => answer(JSON.parse(event.data));
    s.onclose = async () => {
      if (socket === s) {
        socket = null;
      }
      opening = null;
      const reason = opened ? "the admin channel was closed" : await refusal("v1/admin", true);
      reject(new Error(reason));
      const lost = [...waiting.values()];
      waiting.clear();
      lost.forEach(request => request.reject(new Error(reason)));
    };
  });
  return opening;
}

function answer(message) {
  const request = waiting.get(message.ref);
  if (message.type === "progress") {
    if (message.stage === "receiving" && request?.payload) {
      send(request);
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
function send(request) {
  const payload = request.payload;
  request.payload = null;
  for (let from = 0; from < payload.length; from += CHUNK_BYTES) {
    socket?.send(payload.subarray(from, from + CHUNK_BYTES));
  }
}

/**
 * Asks for something; the promise has the `ack`, or an Error with the server's words.
 *
 * @param payload a Uint8Array that follows a `weights.update`
 */
export async function ask(type, fields = {}, { progress, payload } = {}) {
  const s = await open();
  const ref = "c" + ++lastRef;
  return new Promise((resolve, reject) => {
    waiting.set(ref, { resolve, reject, progress, payload });
    s.send(JSON.stringify({ type, ref, ...fields }));
  });
}
