const socket = new WebSocket("ws://127.0.0.1:8080/v1/stream", "tidestream.v1");
let text = "";
socket.onopen = () => socket.send(JSON.stringify({
  type: "generate", id: "story", prompt: "Once upon a time", max_tokens: 80,
  sampling: { temperature: 0.7, top_k: 40 },
  credit: 16,                                    // send at most 16 tokens, then wait for more credit
}));
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  switch (frame.type) {
    case "token":
      text += frame.text;
      if (frame.seq % 8 === 7) socket.send(JSON.stringify({ type: "credit", id: "story", n: 8 }));
      break;
    case "finished": console.log(text, frame.usage, frame.timing); socket.close(); break;
    case "failed": console.error(frame.code, frame.message); break;
  }
};
