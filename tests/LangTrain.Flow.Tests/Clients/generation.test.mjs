import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, collect, failure, model } from './openai.mjs';

const messages = [{ role: 'user', content: 'What color is the sky?' }];
const greedy = { model, messages, temperature: 0, max_tokens: 12 };

test('a chat is answered', async () => {
  const answer = await client.chat.completions.create(greedy);
  assert.equal(answer.object, 'chat.completion');
  assert.equal(answer.model, model);
  assert.equal(answer.choices.length, 1);
  assert.equal(answer.choices[0].message.role, 'assistant');
  assert.ok(answer.choices[0].message.content.length > 0);
  assert.ok(['stop', 'length'].includes(answer.choices[0].finish_reason));
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  assert.ok(answer._request_id);
});

test('the chunks of a chat join to the answer that comes whole', async () => {
  const whole = await client.chat.completions.create(greedy);
  const chunks = await collect(await client.chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } }));
  assert.equal(chunks.map((c) => c.choices[0]?.delta.content ?? '').join(''), whole.choices[0].message.content);
  assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.completion_tokens, whole.usage.completion_tokens);
  assert.equal(chunks.at(-2).choices[0].finish_reason, whole.choices[0].finish_reason);
});

test('the helper that assembles streams gives the whole answer', async () => {
  const runner = client.chat.completions.stream(greedy);
  const whole = await client.chat.completions.create(greedy);
  assert.equal(await runner.finalContent(), whole.choices[0].message.content);
});

test('texts are continued, whole and in chunks', async () => {
  const wish = { model, prompt: ['Once upon a time', 'The sky is'], max_tokens: 8, temperature: 0 };
  const whole = await client.completions.create(wish);
  assert.deepEqual(whole.choices.map((c) => c.index), [0, 1]);
  const chunks = await collect(await client.completions.create({ ...wish, stream: true }));
  for (const choice of whole.choices) {
    const text = chunks.flatMap((c) => c.choices).filter((c) => c.index === choice.index).map((c) => c.text).join('');
    assert.equal(text, choice.text);
  }
});

test('an error keeps its class, code and parameter', async () => {
  const unknown = await failure(client.chat.completions.create({ ...greedy, model: 'nobody/nothing' }));
  assert.equal(unknown.status, 404);
  const refused = await failure(client.chat.completions.create({ ...greedy, temperature: 3 }));
  assert.deepEqual([refused.status, refused.param, refused.type], [400, 'temperature', 'invalid_request_error']);
});
