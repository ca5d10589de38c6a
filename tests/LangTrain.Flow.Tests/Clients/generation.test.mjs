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

test('a prompt is text, texts, token ids or lists of them', async () => {
  const wish = { model, max_tokens: 6, temperature: 0 };
  const { ids } = await client.post('/tokenize', { body: { model, text: 'Once upon a time', add_special_tokens: true } });
  const [text] = (await client.completions.create({ ...wish, prompt: 'Once upon a time' })).choices;
  const [own] = (await client.completions.create({ ...wish, prompt: ids })).choices;
  const both = (await client.completions.create({ ...wish, prompt: [ids, ids] })).choices;
  assert.deepEqual([own.text, ...both.map((c) => c.text)], [text.text, text.text, text.text]);
});

test('one seed gives one text, and n gives as many as are asked for', async () => {
  const wish = { model, messages, temperature: 1.2, top_p: 0.9, seed: 7, max_tokens: 12, n: 3 };
  const first = await client.chat.completions.create(wish);
  const second = await client.chat.completions.create(wish);
  assert.deepEqual(first.choices.map((c) => c.message.content), second.choices.map((c) => c.message.content));
  assert.deepEqual(first.choices.map((c) => c.index), [0, 1, 2]);
  const alone = await client.chat.completions.create({ ...wish, n: 1 });
  assert.equal(alone.choices[0].message.content, first.choices[0].message.content);
});

test('a stop string ends an answer before itself', async () => {
  const { text } = (await client.completions.create({ model, prompt: 'Once upon a time', max_tokens: 30, temperature: 0 })).choices[0];
  const stop = text.slice(7, 12);
  const stopped = (await client.completions.create({ model, prompt: 'Once upon a time', max_tokens: 30, temperature: 0, stop: [stop] })).choices[0];
  assert.equal(stopped.text, text.slice(0, text.indexOf(stop)));
  assert.equal(stopped.finish_reason, 'stop');
});

test('log-probabilities have the shapes of both endpoints', async () => {
  const chat = (await client.chat.completions.create({ ...greedy, logprobs: true, top_logprobs: 3 })).choices[0];
  assert.ok(chat.logprobs.content.length > 0);
  for (const token of chat.logprobs.content) {
    assert.equal(token.top_logprobs.length, 3);
    assert.ok(token.logprob <= 0 && Array.isArray(token.bytes));
    // Greedy: what was taken is the likeliest.
    assert.equal(token.top_logprobs[0].logprob, token.logprob);
  }
  const bytes = chat.logprobs.content.flatMap((token) => token.bytes);
  assert.ok(Buffer.from(bytes).toString().includes(chat.message.content.trim()));

  const prompt = 'The sky is';
  const text = (await client.completions.create({ model, prompt, max_tokens: 4, temperature: 0, logprobs: 2, echo: true })).choices[0];
  assert.ok(text.text.startsWith(prompt));
  const { tokens, token_logprobs, top_logprobs, text_offset } = text.logprobs;
  assert.equal(token_logprobs[0], null);
  assert.deepEqual([token_logprobs.length, top_logprobs.length, text_offset.length], [tokens.length, tokens.length, tokens.length]);
  assert.deepEqual(text_offset, [...text_offset].sort((a, b) => a - b));
});

test('the prompt alone can be scored', async () => {
  const scored = (await client.completions.create({ model, prompt: 'The sky is', max_tokens: 0, logprobs: 0, echo: true })).choices[0];
  assert.equal(scored.text, 'The sky is');
  assert.ok(scored.logprobs.token_logprobs.slice(1).every((l) => l < 0));
});

test('a biased token is always or never taken', async () => {
  const { ids } = await client.post('/tokenize', { body: { model, text: ' blue' } });
  const wish = { model, prompt: 'The sky is', max_tokens: 3, temperature: 1.5, logprobs: 0 };
  const always = (await client.completions.create({ ...wish, logit_bias: { [ids[0]]: 100 } })).choices[0];
  assert.equal(new Set(always.logprobs.tokens).size, 1);
  const never = (await client.completions.create({ ...wish, logit_bias: { [ids[0]]: -100 }, n: 4 })).choices;
  assert.ok(never.every((c) => !c.logprobs.tokens.includes(always.logprobs.tokens[0])));
});

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: '^[A-Z][a-z]{2,6}$' },
    mood: { type: 'string', enum: ['good', 'bad'] },
    score: { anyOf: [{ type: 'integer', minimum: 0, maximum: 9 }, { type: 'null' }] },
    friends: { type: 'array', items: { $ref: '#/$defs/friend' }, maxItems: 2 },
  },
  $defs: { friend: { type: 'object', properties: { name: { type: 'string', maxLength: 8 } }, required: ['name'], additionalProperties: false } },
  required: ['name', 'mood', 'score', 'friends'],
  additionalProperties: false,
};

test('an answer is held to its JSON schema whatever is drawn', async () => {
  for (const seed of [1, 2, 3]) {
    const answer = await client.chat.completions.parse({
      model, messages, temperature: 1.5, seed, max_tokens: 200,
      response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema: person } },
    });
    const value = JSON.parse(answer.choices[0].message.content);
    assert.match(value.name, /^[A-Z][a-z]{2,6}$/);
    assert.ok(['good', 'bad'].includes(value.mood));
    assert.ok(value.score === null || (value.score >= 0 && value.score <= 9));
    assert.ok(value.friends.every((f) => f.name.length <= 8));
  }
  const object = await client.chat.completions.create({ ...greedy, max_tokens: 60, response_format: { type: 'json_object' } });
  assert.equal(typeof JSON.parse(object.choices[0].message.content), 'object');
});

test('a keyword that cannot be held to is named', async () => {
  const schema = { type: 'array', uniqueItems: true };
  const refused = await failure(client.chat.completions.create({ ...greedy, response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }));
  assert.deepEqual([refused.status, refused.param], [400, 'response_format']);
  assert.match(refused.message, /uniqueItems/);
});

const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather', description: 'The weather of a city', strict: true,
      parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Rome', 'Oslo'] } }, required: ['city'], additionalProperties: false },
    },
  },
  { type: 'function', function: { name: 'get_time' } },
];

test('a tool that must be called is called, whole and in pieces', async () => {
  const wish = { model, messages, temperature: 0, max_tokens: 100, tools, tool_choice: { type: 'function', function: { name: 'get_weather' } } };
  const whole = (await client.chat.completions.create(wish)).choices[0];
  assert.equal(whole.finish_reason, 'tool_calls');
  assert.equal(whole.message.content, null);
  const call = whole.message.tool_calls[0];
  assert.deepEqual([call.type, call.function.name], ['function', 'get_weather']);
  assert.ok(['Rome', 'Oslo'].includes(JSON.parse(call.function.arguments).city));

  const chunks = await collect(await client.chat.completions.create({ ...wish, stream: true }));
  const deltas = chunks.flatMap((c) => c.choices[0]?.delta.tool_calls ?? []);
  assert.ok(deltas.length > 2, 'the arguments come in pieces');
  assert.deepEqual([deltas[0].index, deltas[0].type, deltas[0].function.name], [0, 'function', 'get_weather']);
  assert.ok(deltas[0].id.startsWith('call_'));
  assert.equal(deltas.map((d) => d.function.arguments).join(''), call.function.arguments);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'tool_calls');

  const assembled = await client.chat.completions.stream(wish).finalChatCompletion();
  assert.equal(assembled.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
});

test('some tool is called where one is required, and none where none is wanted', async () => {
  const required = (await client.chat.completions.create({ model, messages, tools, tool_choice: 'required', parallel_tool_calls: false, max_tokens: 100 })).choices[0];
  assert.ok(['get_weather', 'get_time'].includes(required.message.tool_calls[0].function.name));
  const none = (await client.chat.completions.create({ ...greedy, tools, tool_choice: 'none' })).choices[0];
  assert.equal(none.message.tool_calls, undefined);
  assert.ok(none.message.content.length > 0);
});

test('the loop of calls and results ends with an answer', async () => {
  const asked = [...messages];
  const call = (await client.chat.completions.create({ model, messages: asked, tools, tool_choice: 'required', max_tokens: 100 })).choices[0].message;
  asked.push(call, { role: 'tool', tool_call_id: call.tool_calls[0].id, content: '{"sky":"blue"}' });
  const answer = await client.chat.completions.create({ ...greedy, messages: asked, tools });
  assert.ok(answer.choices[0].message.role === 'assistant');
});

test('every role and text parts are read, pictures are refused by name', async () => {
  const answer = await client.chat.completions.create({
    ...greedy,
    messages: [{ role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] }, { role: 'user', name: 'ada', content: [{ type: 'text', text: 'Hello' }] }],
    user: 'u-1', store: false, service_tier: 'auto', modalities: ['text'], metadata: { a: 'b' },
  });
  assert.ok(answer.choices[0].message.content.length > 0);
  const picture = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }];
  const refused = await failure(client.chat.completions.create({ ...greedy, messages: picture }));
  assert.deepEqual([refused.status, refused.param], [400, 'messages[0].content[0].type']);
});

test('what is not supported is refused by its name', async () => {
  const wishes = { audio: { voice: 'alloy', format: 'mp3' }, reasoning_effort: 'low', prediction: { type: 'content', content: 'x' }, store: true, web_search_options: {}, nonsense: 1 };
  for (const [param, value] of Object.entries(wishes)) {
    const refused = await failure(client.chat.completions.create({ ...greedy, [param]: value }));
    assert.deepEqual([refused.status, refused.param], [400, param]);
  }
  for (const [param, value] of Object.entries({ best_of: 3, suffix: 'end' })) {
    const refused = await failure(client.completions.create({ model, prompt: 'x', [param]: value }));
    assert.deepEqual([refused.status, refused.param], [400, param]);
  }
});

test('what was read before is told as cached', async () => {
  const wish = { model, prompt: 'A prompt that is long enough to be worth keeping, as the beginning of a chat would be. '.repeat(3), max_tokens: 2 };
  const first = await client.completions.create(wish);
  const second = await client.completions.create(wish);
  assert.ok(second.usage.prompt_tokens_details.cached_tokens > 0);
  assert.ok(second.usage.prompt_tokens_details.cached_tokens < first.usage.prompt_tokens);
});

test('a prompt that is longer than the context says both numbers', async () => {
  const refused = await failure(client.completions.create({ model, prompt: 'word '.repeat(2000) }));
  assert.deepEqual([refused.status, refused.code, refused.param], [400, 'context_length_exceeded', 'prompt']);
  assert.match(refused.message, /\d{3,} tokens.* 512/);
});

test('an error keeps its class, code and parameter', async () => {
  const unknown = await failure(client.chat.completions.create({ ...greedy, model: 'nobody/nothing' }));
  assert.equal(unknown.status, 404);
  const refused = await failure(client.chat.completions.create({ ...greedy, temperature: 3 }));
  assert.deepEqual([refused.status, refused.param, refused.type], [400, 'temperature', 'invalid_request_error']);
});
