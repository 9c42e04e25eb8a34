// Weight updates: from what a form has to a request and its payload (docs/admin.md).
import { adminCall, call } from "./access.js";
import { ask } from "./admin.js";

/** Rows of a matrix: their numbers as int32, then float32 values; zeros, or a normal distribution. */
export function rowsPayload(rows, width, deviation) {
  const payload = new ArrayBuffer(4 * rows.length * (1 + width));
  const view = new DataView(payload);
  rows.forEach((row, i) => view.setInt32(4 * i, row, true));
  if (deviation > 0) {
    for (let i = 0; i < rows.length * width; i++) {
      view.setFloat32(4 * (rows.length + i), deviation * normal(), true);
    }
  }
  return new Uint8Array(payload);
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

/** Token numbers as they are written, or those of the text. */
export async function tokensOf(text) {
  const numbers = text.trim().split(/[\s,]+/);
  if (numbers.every(n => /^\d+$/.test(n))) {
    return [...new Set(numbers.map(Number))].sort((a, b) => a - b);
  }
  const answer = await call("tokenize", { prompt: text, add_special_tokens: false });
  return [...new Set(answer.tokens)].sort((a, b) => a - b);
}

async function sha256(payload) {
  if (!crypto.subtle) {
    throw new Error("a browser computes the checksum of an update for pages of https or of this machine only: open the console by https "
      + "or as localhost");
  }
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", payload))].map(b => b.toString(16).padStart(2, "0")).join("");
}

function updateId() {
  return `console-${new Date().toISOString().replaceAll(":", "-")}-${Math.random().toString(36).slice(2, 8)}`;
}

/** Rows of a matrix as a safetensors file of one part (docs/weights.md); their payload is that of `rowsPayload`. */
function rowsPart(tensor, rows, width, payload) {
  const header = new TextEncoder().encode(JSON.stringify({ __metadata__: { kind: "rows" },
    [tensor + ".rows"]: { dtype: "I32", shape: [rows], data_offsets: [0, 4 * rows] },
    [tensor + ".values"]: { dtype: "F32", shape: [rows, width], data_offsets: [4 * rows, payload.length] } }));
  const file = new Uint8Array(8 + header.length + payload.length);
  new DataView(file.buffer).setUint32(0, header.length, true);
  file.set(header, 8);
  file.set(payload, 8 + header.length);
  return file;
}

/** Makes a version of rows that is held: nobody gets it before it is published. The promise has its `version`. */
export async function pushHeld(tensor, rows, width, payload) {
  const { weights_version: current } = await ask("weights.status");
  const id = updateId();
  const update = "admin/weights/updates/" + id;
  const part = rowsPart(tensor, rows, width, payload);
  const checksum = await sha256(part);
  await adminCall("admin/weights/updates", "POST", { update_id: id, base_version: current, publish: "hold",
    label: `rows of ${tensor}`.slice(0, 256) });
  try {
    await adminCall(update + "/parts/0", "PUT", part, { "x-content-sha256": checksum });
    return await adminCall(update + "/commit", "POST", { parts: 1 });
  } catch (error) {
    await adminCall(update + "/abort", "POST").catch(() => {}); // it was refused, which is what is told
    throw error;
  }
}

/** Sends an update for the version that is current now; the promise has the `ack`. */
export async function push(update, payload, progress) {
  const { weights_version: current } = await ask("weights.status");
  return ask("weights.update", {
    update_id: updateId(),
    base_version: current, ...update, sha256: await sha256(payload), byte_length: payload.length,
  }, { payload, progress });
}
