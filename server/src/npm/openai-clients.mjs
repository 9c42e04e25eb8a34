// Runs OpenAI's client from npm against a server: node openai-clients.mjs BASE_URL CHECK
// Exit codes: 0 the check holds, 1 it does not.
import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';

const [baseURL, check] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
const model = (await client.models.list()).data[0].id;
const messages = [{ role: 'system', content: 'Tell a story.' }, { role: 'user', content: 'Of a cat.' }];

async function chat() {
  const request = { model, messages, temperature: 0, max_completion_tokens: 8 };
  const whole = await client.chat.completions.create(request);
  const streamed = client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  const pieces = [];
  streamed.on('content', (piece) => pieces.push(piece));
  const put = await streamed.finalChatCompletion();
  assert.equal(put.choices[0].message.content, whole.choices[0].message.content);
  assert.equal(pieces.join(''), whole.choices[0].message.content);
  assert.equal(put.choices[0].finish_reason, 'length');
  assert.deepEqual(put.usage, whole.usage);
  assert.ok(pieces.length > 1, `in pieces: ${pieces}`);
  return `${pieces.length} pieces: ${JSON.stringify(pieces.join(''))}`;
}

const ask = (input) => ({ model, input, temperature: 0, max_output_tokens: 16 });

async function responses() {
  const whole = await client.responses.create(ask('Of a dog.'));
  const streamed = client.responses.stream(ask('Of a dog.'));
  const events = [];
  let text = '';
  for await (const event of streamed) {
    events.push(event.type);
    text += event.type === 'response.output_text.delta' ? event.delta : '';
  }
  const last = await streamed.finalResponse();
  assert.equal(text, whole.output_text);
  assert.equal(last.output_text, whole.output_text);
  assert.deepEqual(last.usage, whole.usage);
  assert.equal(events[0], 'response.created');
  assert.equal(events.at(-1), 'response.incomplete');
  const next = await client.responses.create({ ...ask('And its house.'), previous_response_id: last.id });
  assert.ok(next.usage.input_tokens > whole.usage.input_tokens);
  return `${events.length} events: ${JSON.stringify(text)}`;
}

// Two lanes side by side, and a fork of one of them in a third.
async function lanes() {
  const whole = await client.responses.create(ask('Of a dog.'));
  const socket = new ResponsesWS(client);
  const texts = {};
  const send = (lane, body) => {
    texts[lane] = '';
    socket.send({ type: 'response.create', stream_id: lane, store: false, ...body });
  };
  send('a', ask('Of a dog.'));
  send('b', ask('Of a bird.'));
  const ended = {};
  let events = 0;
  for await (const happened of socket.stream()) {
    if (happened.type === 'error') throw happened.error; // also a server without a WebSocket at /v1/responses
    if (happened.type !== 'message') continue;
    events++;
    const event = happened.message;
    const lane = event.stream_id;
    assert.ok(lane in texts, `a lane that nobody has opened: ${JSON.stringify(event)}`);
    texts[lane] += event.type === 'response.output_text.delta' ? event.delta : '';
    if (event.type === 'response.completed' || event.type === 'response.incomplete') {
      ended[lane] = event.response;
      if (lane === 'a') send('c', { ...ask('And its house.'), previous_response_id: event.response.id });
      if (ended.a && ended.b && ended.c) break;
    }
    assert.notEqual(event.type, 'response.failed');
  }
  socket.close();
  assert.equal(texts.a, whole.output_text);
  assert.notEqual(texts.b, texts.a);
  assert.ok(ended.c.usage.input_tokens > ended.a.usage.input_tokens);
  return `${events} events in three lanes: ${JSON.stringify(texts)}`;
}

console.log(`${check}: ${await { chat, responses, lanes }[check]()}`);
