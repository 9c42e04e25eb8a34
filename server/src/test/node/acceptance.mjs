// A client of nobody here: the WebSocket of Node (or of a browser). Eight streams on one socket, two cancelled, one starved of
// credit. Usage: node acceptance.mjs ws://host:port/v1/stream. Exit code 0 if all is as it should be.
const TOKENS = 120;
const CREDIT = 5;
const socket = new WebSocket(process.argv[2], "tidestream.v1");
const streams = new Map(Array.from({ length: 8 }, (_, i) => ["s" + i, { seqs: 0, cancelSent: false, finish: null }]));
const send = (message) => socket.send(JSON.stringify(message));
const fail = (why) => { console.error("FAILED: " + why); process.exit(1); };
const finished = () => [...streams.values()].filter((s) => s.finish).length;
const patience = setTimeout(() => fail("no end: " + JSON.stringify([...streams])), 60_000);

socket.onerror = (e) => fail("socket: " + e.message);
socket.onopen = () => {
  for (const [i, id] of [...streams.keys()].entries()) {
    const message = { type: "generate", id, prompt: "Once upon a time", max_tokens: TOKENS, logprobs: 0,
      sampling: { temperature: 0.8, top_k: 40, seed: i, logit_bias: { 0: -100 } } };
    // Those to be cancelled cannot come to their end before, however late this script is.
    const credit = { s0: TOKENS / 2, s1: TOKENS / 2, s7: CREDIT }[id];
    send(credit ? { ...message, credit } : message);
  }
};
socket.onmessage = ({ data }) => {
  const frame = JSON.parse(data);
  const stream = streams.get(frame.id) ?? fail("frame of no stream: " + data);
  if (stream.finish) fail("frame after the end: " + data);
  switch (frame.type) {
    case "accepted": break;
    case "token":
      if (frame.seq !== stream.seqs++) fail("out of order: " + data);
      if (frame.weights_version !== 1) fail("other weights: " + data);
      if ((frame.id === "s0" || frame.id === "s1") && stream.seqs === 10) {
        stream.cancelSent = true;
        send({ type: "cancel", id: frame.id });
      }
      if (frame.id === "s7" && stream.seqs === CREDIT + 1 && !stream.granted) fail("more tokens than credit");
      break;
    case "finished":
      stream.finish = frame;
      if (frame.usage.completion_tokens !== stream.seqs) fail("tokens lost: " + data + " received " + stream.seqs);
      if ((frame.reason === "cancelled") !== stream.cancelSent) fail("reason: " + data);
      if (!stream.cancelSent && stream.seqs !== TOKENS) fail("too short: " + data);
      if (finished() === 7) { // all the others are through: the starved one stands at its credit
        const starved = streams.get("s7");
        if (starved.seqs !== CREDIT) fail("starved stream stands at " + starved.seqs);
        starved.granted = true;
        send({ type: "credit", id: "s7", n: TOKENS });
      }
      if (finished() === 8) {
        for (const [id, s] of streams) console.log(id, s.finish.reason, s.seqs, JSON.stringify(s.finish.timing));
        clearTimeout(patience);
        socket.close();
      }
      break;
    default: fail(data);
  }
};
