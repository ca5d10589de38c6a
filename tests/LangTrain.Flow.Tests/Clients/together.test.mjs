// What of the together-ai client's API is served here. Its models.list wants a bare array and its files.upload a redirect to storage: neither is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFile } from 'openai';
import Together from 'together-ai';
import { client as openai, collect, model } from './openai.mjs';

const together = new Together({ apiKey: process.env.OPENAI_API_KEY, baseURL: process.env.OPENAI_BASE_URL.replace(/\/$/, ''), maxRetries: 0, timeout: 50_000 });
const rows = Array.from({ length: 8 }, (_, i) => JSON.stringify({ prompt: `Number ${i} is followed by`, completion: ` ${i + 1}` })).join('\n');

test('chats and texts come whole and in chunks', async () => {
  const wish = { model, messages: [{ role: 'user', content: 'What color is the sky?' }], max_tokens: 8, temperature: 0 };
  const whole = await together.chat.completions.create(wish);
  const chunks = await collect(await together.chat.completions.create({ ...wish, stream: true }));
  assert.equal(chunks.map((c) => c.choices[0]?.delta?.content ?? '').join(''), whole.choices[0].message.content);
  const text = await together.completions.create({ model, prompt: 'Once upon a time', max_tokens: 8, temperature: 0 });
  assert.ok(text.choices[0].text.length > 0);
});

test('a fine-tune is made, followed, listed and cancelled', async () => {
  const file = await openai.files.create({ file: await toFile(Buffer.from(rows), 'rows.jsonl'), purpose: 'fine-tune' });
  assert.ok((await together.files.list()).data.some((one) => one.id === file.id));
  assert.equal((await together.files.retrieve(file.id)).filename, 'rows.jsonl');
  assert.equal(await (await together.files.content(file.id)).text(), rows);

  const made = await together.fineTuning.create({
    model, training_file: file.id, n_epochs: 1, learning_rate: 1e-3, batch_size: 'max', suffix: 'tg',
    training_type: { type: 'Lora', lora_r: 4, lora_alpha: 8 }, training_method: { method: 'sft', train_on_inputs: 'auto' },
  });
  assert.deepEqual([made.model, made.training_file], [model, file.id]);
  let job = made;
  while (!['completed', 'failed', 'cancelled'].includes(job.status)) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    job = await together.fineTuning.retrieve(made.id);
  }
  assert.equal(job.status, 'completed', JSON.stringify(job.error));
  assert.match(job.model_output_name, /^ft:/);
  assert.ok((await together.fineTuning.list()).data.some((one) => one.id === made.id));
  assert.ok((await together.fineTuning.listEvents(made.id)).data.length > 2);
  assert.ok((await together.fineTuning.listCheckpoints(made.id)).data.length > 0);
  const answer = await together.completions.create({ model: job.model_output_name, prompt: 'Number 3 is followed by', max_tokens: 4 });
  assert.equal(answer.model, job.model_output_name);

  const other = await together.fineTuning.create({ model, training_file: file.id, n_epochs: 100, batch_size: 1 });
  await together.fineTuning.cancel(other.id);
  for (let now; (now = await together.fineTuning.retrieve(other.id)).status !== 'cancelled';) {
    assert.notEqual(now.status, 'completed');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});
