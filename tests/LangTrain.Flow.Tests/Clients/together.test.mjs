// The unmodified together-ai client: what it calls is answered, and what it gets has the fields that its own types name.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Together from 'together-ai';
import { client as openai, collect, failure, model } from './openai.mjs';

const baseURL = process.env.OPENAI_BASE_URL.replace(/\/$/, '');
// files.upload of the package's ES modules finds no file system in Node; that of its CommonJS build does.
const Uploader = createRequire(import.meta.url)('together-ai');
const together = new Together({ apiKey: process.env.OPENAI_API_KEY, baseURL, maxRetries: 0, timeout: 50_000 });
const rows = Array.from({ length: 8 }, (_, i) => JSON.stringify({ prompt: `Number ${i} is followed by`, completion: ` ${i + 1}` })).join('\n') + '\n';
const isMoment = (text) => assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);
const statuses = ['pending', 'queued', 'running', 'compressing', 'uploading', 'cancel_requested', 'cancelled', 'error', 'completed'];

/** Uploads text by files.upload, which leaves out what Node's fetch wants to be told with a stream. */
async function upload(name, text, purpose) {
  const folder = mkdtempSync(join(tmpdir(), 'together-'));
  const before = globalThis.fetch;
  globalThis.fetch = (url, init) => before(url, init?.body?.[Symbol.asyncIterator] ? { ...init, duplex: 'half' } : init);
  try {
    writeFileSync(join(folder, name), text);
    return await new Uploader({ apiKey: process.env.OPENAI_API_KEY, baseURL, maxRetries: 0 }).files.upload(join(folder, name), purpose, purpose === 'fine-tune');
  } finally {
    globalThis.fetch = before;
    rmSync(folder, { recursive: true });
  }
}

async function ended(id) {
  for (;;) {
    const job = await together.fineTuning.retrieve(id);
    assert.ok(statuses.includes(job.status), job.status);
    if (['completed', 'error', 'cancelled'].includes(job.status)) return job;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

test('chats and texts come whole and in chunks', async () => {
  const wish = { model, messages: [{ role: 'user', content: 'What color is the sky?' }], max_tokens: 8, temperature: 0 };
  const whole = await together.chat.completions.create(wish);
  assert.deepEqual(whole.prompt, []);
  const chunks = await collect(await together.chat.completions.create({ ...wish, stream: true }));
  assert.equal(chunks.map((c) => c.choices[0]?.delta?.content ?? '').join(''), whole.choices[0].message.content);
  const text = await together.completions.create({ model, prompt: 'Once upon a time', max_tokens: 8, temperature: 0, logprobs: 1 });
  assert.ok(text.choices[0].text.length > 0);
  assert.equal(text.choices[0].logprobs.tokens.length, text.choices[0].logprobs.token_logprobs.length);
  const known = await together.chat.completions.create({ ...wish, logprobs: 2, context_length_exceeded_behavior: 'error' });
  assert.equal(known.choices[0].logprobs.tokens.join(''), known.choices[0].message.content);
  assert.ok(known.choices[0].logprobs.token_logprobs.every((one) => one <= 0));
  await assert.rejects(together.chat.completions.create({ ...wish, context_length_exceeded_behavior: 'truncate' }), Together.BadRequestError);
});

test('models are a bare array for it, and a list for others', async () => {
  const models = await together.models.list();
  assert.ok(Array.isArray(models));
  const one = models.find((each) => each.id === model);
  assert.deepEqual([one.object, one.type, typeof one.created, typeof one.context_length, typeof one.pricing.input], ['model', 'chat', 'number', 'number', 'number']);
  assert.ok((await openai.models.list()).data.some((each) => each.id === model));
});

test('a file is uploaded, listed, read and deleted', async () => {
  const file = await upload('rows.jsonl', rows, 'fine-tune');
  assert.deepEqual([file.object, file.filename, file.bytes, file.purpose, file.FileType, file.Processed], ['file', 'rows.jsonl', rows.length, 'fine-tune', 'jsonl', true]);
  assert.equal(typeof file.created_at, 'number');
  assert.deepEqual(await together.files.retrieve(file.id), file);
  assert.deepEqual((await together.files.list()).data.find((one) => one.id === file.id), file);
  assert.equal(await (await together.files.content(file.id)).text(), rows);
  assert.equal((await openai.files.retrieve(file.id)).status, 'processed');
  const gone = await together.files.delete(file.id);
  assert.deepEqual([gone.id, gone.deleted], [file.id, true]);
  assert.equal((await failure(openai.files.retrieve(file.id))).status, 404);
});

test('a fine-tune is priced, made, followed, listed and taken away', async () => {
  const file = await upload('rows.jsonl', rows, 'fine-tune');
  const price = await together.fineTuning.estimatePrice({ model, training_file: file.id, n_epochs: 2 });
  assert.equal(price.estimation_available, true);
  assert.ok(price.estimated_train_token_count > 0 && price.estimated_total_price >= 0);
  const limits = await together.fineTuning.modelLimits({ model_name: model });
  assert.equal(limits.model_name, model);
  assert.ok(limits.lora_training.max_rank > 0 && limits.max_num_epochs > 0);
  const preview = await together.fineTuning.preview({ model, training_file: file.id, top_k: 2 });
  assert.deepEqual([preview.rows.length, preview.dataset_format], [2, 'instruction']);
  for (const row of preview.rows) {
    assert.equal(row.labels.filter((label) => label !== -100).length, row.num_trained_tokens);
    assert.equal(row.trained_spans.reduce((sum, [from, to]) => sum + to - from, 0), row.num_trained_tokens);
    assert.deepEqual([row.input_ids.length, row.tokens.length], [row.num_tokens, row.num_tokens]);
  }

  const made = await together.fineTuning.create({
    model, training_file: file.id, n_epochs: 1, learning_rate: 1e-3, batch_size: 'max', suffix: 'tg',
    training_type: { type: 'Lora', lora_r: 4, lora_alpha: 8 }, training_method: { method: 'sft', train_on_inputs: 'auto' },
  });
  assert.deepEqual([made.model, made.training_file, made.suffix, made.n_epochs, made.learning_rate], [model, file.id, 'tg', 1, 1e-3]);
  assert.deepEqual([made.training_type.type, made.training_type.lora_r, made.training_method.method, made.lr_scheduler.lr_scheduler_type], ['Lora', 4, 'sft', 'cosine']);
  assert.ok(statuses.includes(made.status));
  isMoment(made.created_at);
  isMoment(made.updated_at);

  const job = await ended(made.id);
  assert.equal(job.status, 'completed', JSON.stringify(job.error));
  assert.match(job.model_output_name, /^ft:/);
  assert.equal((await together.fineTuning.list()).data.find((one) => one.id === made.id).status, 'completed');
  const events = (await together.fineTuning.listEvents(made.id)).data;
  assert.deepEqual([events[0].type, events.at(-1).type, events[0].object], ['job_pending', 'job_complete', 'fine-tune-event']);
  isMoment(events[0].created_at);
  const checkpoints = (await together.fineTuning.listCheckpoints(made.id)).data;
  assert.deepEqual([checkpoints[0].checkpoint_type, checkpoints[0].path], ['Final', job.model_output_name]);
  const metrics = (await together.fineTuning.listMetrics(made.id, { global_step_from: 1 })).metrics;
  assert.ok(metrics.length > 0 && metrics.every((one) => one.global_step >= 1 && Object.values(one).every(Number.isFinite)));
  const archive = Buffer.from(await (await together.fineTuning.content({ ft_id: made.id, checkpoint: 'adapter' })).arrayBuffer());
  assert.equal(archive.subarray(0, 2).toString(), 'PK');
  assert.ok(archive.includes('adapter_model.safetensors') && archive.includes('adapter_config.json'));
  const answer = await together.completions.create({ model: job.model_output_name, prompt: 'Number 3 is followed by', max_tokens: 4 });
  assert.equal(answer.model, job.model_output_name);
  assert.equal((await openai.fineTuning.jobs.retrieve(made.id)).status, 'succeeded');
});

test('a fine-tune is cancelled, one with bad data ends as an error, and one can be deleted', async () => {
  const file = await upload('rows.jsonl', rows, 'fine-tune');
  const first = await together.fineTuning.create({ model, training_file: file.id, n_epochs: 100, batch_size: 1 });
  assert.ok(statuses.includes((await together.fineTuning.cancel(first.id)).status));
  assert.equal((await ended(first.id)).status, 'cancelled');

  const second = await together.fineTuning.create({ model, training_file: file.id, n_epochs: 100, batch_size: 1 });
  assert.equal(typeof (await together.fineTuning.delete(second.id)).message, 'string');
  assert.equal((await ended(second.id)).status, 'cancelled');

  const bad = await openai.files.create({ file: new File(['{"no":"row"}\n'], 'bad.jsonl'), purpose: 'fine-tune' });
  assert.deepEqual(await together.fineTuning.estimatePrice({ model, training_file: bad.id }), { estimation_available: false, unavailable_reason: 'train_file_invalid' });
  const third = await together.fineTuning.create({ model, training_file: bad.id });
  assert.equal((await ended(third.id)).status, 'error');
  assert.equal((await together.fineTuning.listEvents(third.id)).data.at(-1).type, 'job_error');
});

test('a batch is made, followed and listed', async () => {
  const line = { custom_id: 'one', body: { model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 } };
  const file = await upload('batch.jsonl', JSON.stringify(line) + '\n', 'batch-api');
  assert.equal(file.purpose, 'batch-api');
  const { job } = await together.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions' });
  assert.deepEqual([job.input_file_id, job.endpoint], [file.id, '/v1/chat/completions']);
  isMoment(job.created_at);
  let batch = job;
  while (!['COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED'].includes(batch.status)) {
    assert.ok(['VALIDATING', 'IN_PROGRESS'].includes(batch.status), batch.status);
    await new Promise((resolve) => setTimeout(resolve, 300));
    batch = await together.batches.retrieve(job.id);
  }
  assert.deepEqual([batch.status, batch.progress], ['COMPLETED', 100], batch.error);
  assert.equal(JSON.parse(await (await together.files.content(batch.output_file_id)).text()).custom_id, 'one');
  assert.ok((await together.batches.list()).some((one) => one.id === job.id));
});

test('errors are the client\'s own', async () => {
  await assert.rejects(together.files.retrieve('file-none'), Together.NotFoundError);
  await assert.rejects(together.fineTuning.create({ model, training_file: 'file-none' }), Together.NotFoundError);
  await assert.rejects(together.fineTuning.create({ model, training_file: 'file-none', wandb_api_key: 'x' }), Together.BadRequestError);
  await assert.rejects(new Together({ apiKey: 'wrong', baseURL, maxRetries: 0 }).models.list(), Together.AuthenticationError);
});
