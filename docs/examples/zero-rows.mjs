// The payload of a `rows` update that sets some rows of the embedding to zero: row numbers as int32, then float32 values.
// node docs/examples/zero-rows.mjs HIDDEN_SIZE TOKEN... > rows.bin
const [hidden, ...tokens] = process.argv.slice(2).map(Number);
const payload = new DataView(new ArrayBuffer(4 * tokens.length * (1 + hidden)));
tokens.forEach((token, i) => payload.setInt32(4 * i, token, true)); // the values that follow are zeros already
process.stdout.write(new Uint8Array(payload.buffer));
