// Weight updates: from what a form has to a request and its payload (docs/admin.md).
import { call } from "./access.js";
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

/** Sends an update for the version that is current now; the promise has the `ack`. */
export async function push(update, payload, progress) {
  const { weights_version: current } = await ask("weights.status");
  return ask("weights.update", {
    update_id: `console-${new Date().toISOString()}-${Math.random().toString(36).slice(2, 8)}`,
    base_version: current, ...update, sha256: await sha256(payload), byte_length: payload.length,
  }, { payload, progress });
}
