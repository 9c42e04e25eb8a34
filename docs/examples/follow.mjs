// A story that follows the newest weights: prints its text, and the version of the weights where it changes.
// node --experimental-websocket docs/examples/follow.mjs [ws://127.0.0.1:8080/v1/stream]      (Node 22 needs no flag)
const socket = new WebSocket(process.argv[2] ?? "ws://127.0.0.1:8080/v1/stream", "tidestream.v1");
let version, pace;
socket.onopen = () => {
  socket.send(JSON.stringify({
    type: "generate", id: "story", prompt: "Once upon a time", max_tokens: 400, weights: "follow", kv: "keep",
    sampling: { temperature: 0.7, top_k: 40, seed: 7, logit_bias: { 0: -100 } }, credit: 4,
  }));
  // A reader's pace: four more tokens every quarter of a second.
  pace = setInterval(() => socket.send(JSON.stringify({ type: "credit", id: "story", n: 4 })), 250);
};
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  if (frame.type === "token") {
    if (frame.weights_version !== version) {
      version = frame.weights_version;
      process.stdout.write(`\n[weights ${version}] `);
    }
    process.stdout.write(frame.text);
  } else if (frame.type === "finished" || frame.type === "failed") {
    console.log("\n" + JSON.stringify(frame));
    clearInterval(pace);
    socket.close();
  }
};
