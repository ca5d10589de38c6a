import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { toFile } from 'openai';
import { client, failure, model } from './openai.mjs';

const rows = Array.from({ length: 16 }, (_, i) => JSON.stringify({ messages: [{ role: 'user', content: `Which number comes after ${i}?` }, { role: 'assistant', content: `${i + 1}` }] })).join('\n');

async function upload() {
  return client.files.create({ file: await toFile(Buffer.from(rows), 'rows.jsonl'), purpose: 'fine-tune' });
}

async function ended(id) {
  for (;;) {
    const job = await client.fineTuning.jobs.retrieve(id);
    if (['succeeded', 'failed', 'cancelled'].includes(job.status)) return job;
    assert.ok(['validating_files', 'queued', 'running'].includes(job.status), job.status);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

test('parts that come out of order become the file that was cut', async () => {
  const bytes = Buffer.from(rows);
  const made = await client.uploads.create({ bytes: bytes.length, filename: 'rows.jsonl', mime_type: 'text/jsonl', purpose: 'fine-tune' });
  assert.deepEqual([made.object, made.status, made.file], ['upload', 'pending', null]);
  const last = await client.uploads.parts.create(made.id, { data: await toFile(bytes.subarray(200), 'part') });
  const first = await client.uploads.parts.create(made.id, { data: await toFile(bytes.subarray(0, 200), 'part') });
  assert.deepEqual([first.object, first.upload_id], ['upload.part', made.id]);
  const done = await client.uploads.complete(made.id, { part_ids: [first.id, last.id], md5: createHash('md5').update(bytes).digest('hex') });
  assert.equal(done.status, 'completed');
  assert.equal((await client.files.waitForProcessing(done.file.id, { pollInterval: 100 })).status, 'processed');
  assert.equal(await (await client.files.content(done.file.id)).text(), rows);
  assert.equal((await client.uploads.complete(made.id, { part_ids: [first.id, last.id] })).file.id, done.file.id);
  assert.equal((await failure(client.uploads.cancel(made.id))).status, 409);
});

test('a job is made from a file, polled to its end, told, and its model chats and goes', async () => {
  const file = await upload();
  assert.deepEqual([file.object, file.status, file.purpose, file.filename], ['file', 'processed', 'fine-tune', 'rows.jsonl']);

  const made = await client.fineTuning.jobs.create({
    model, training_file: file.id, suffix: 'numbers', seed: 7, metadata: { team: 'a' },
    method: { type: 'supervised', supervised: { hyperparameters: { n_epochs: 2, batch_size: 'auto', learning_rate_multiplier: 2 } } },
  });
  assert.match(made.id, /^ftjob-/);
  assert.deepEqual(
    [made.object, made.model, made.training_file, made.validation_file, made.seed, made.error, made.fine_tuned_model, made.finished_at, made.trained_tokens, made.result_files],
    ['fine_tuning.job', model, file.id, null, 7, null, null, null, null, []]);
  assert.deepEqual(made.method.supervised.hyperparameters, { batch_size: 4, learning_rate_multiplier: 2, n_epochs: 2 });

  const job = await ended(made.id);
  assert.equal(job.status, 'succeeded', JSON.stringify(job.error));
  assert.ok(job.trained_tokens > 0 && job.finished_at >= job.created_at);
  assert.match(job.fine_tuned_model, /^ft:.*:numbers:/);
  assert.equal((await client.files.retrieve(job.result_files[0])).purpose, 'fine-tune-results');
  const [header, ...steps] = (await (await client.files.content(job.result_files[0])).text()).trim().split('\n');
  assert.match(header, /^step,train_loss,/);
  assert.ok(steps.length > 0 && steps.every((line, i) => Number(line.split(',')[0]) === i + 1 && Number(line.split(',')[1]) > 0));

  const listed = [];
  for await (const one of client.fineTuning.jobs.list({ limit: 1, metadata: { team: 'a' } })) listed.push(one.id);
  assert.ok(listed.includes(job.id));
  const nobody = [];
  for await (const one of client.fineTuning.jobs.list({ metadata: { team: 'b' } })) nobody.push(one.id);
  assert.deepEqual(nobody, []);

  const events = [];
  for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 3 })) events.push(event);
  assert.equal(new Set(events.map((e) => e.id)).size, events.length);
  assert.equal(events[0].message, 'The job has successfully completed');
  assert.equal(events.at(-1).message, 'Created fine-tuning job');
  const metrics = events.filter((e) => e.type === 'metrics');
  assert.ok(metrics.length > 0 && metrics.every((e) => e.object === 'fine_tuning.job.event' && typeof e.data.step === 'number'));

  const checkpoints = (await client.fineTuning.jobs.checkpoints.list(job.id)).data;
  assert.ok(checkpoints.length > 0);
  assert.ok(checkpoints.every((c) => c.fine_tuning_job_id === job.id && c.fine_tuned_model_checkpoint.startsWith(job.fine_tuned_model) && c.metrics.train_loss > 0));

  const answer = await client.chat.completions.create({ model: job.fine_tuned_model, messages: [{ role: 'user', content: 'Which number comes after 3?' }], max_tokens: 8 });
  assert.equal(answer.model, job.fine_tuned_model);

  const shown = await client.models.retrieve(job.fine_tuned_model);
  assert.deepEqual([shown.object, shown.id], ['model', job.fine_tuned_model]);
  assert.ok((await client.models.list()).data.some((m) => m.id === job.fine_tuned_model && typeof m.created === 'number' && m.owned_by));
  assert.equal((await client.models.delete(job.fine_tuned_model)).deleted, true);
  assert.equal((await failure(client.models.retrieve(job.fine_tuned_model))).status, 404);
  assert.equal((await client.files.delete(file.id)).deleted, true);
});

test('a job is paused, resumed and cancelled', async () => {
  const file = await upload();
  const job = await client.fineTuning.jobs.create({ model, training_file: file.id, hyperparameters: { n_epochs: 100, batch_size: 1 } });
  await client.fineTuning.jobs.pause(job.id);
  for (let now; (now = await client.fineTuning.jobs.retrieve(job.id)).status !== 'paused';) {
    assert.ok(['validating_files', 'queued', 'running'].includes(now.status), now.status);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await client.fineTuning.jobs.resume(job.id);
  await client.fineTuning.jobs.cancel(job.id);
  assert.equal((await ended(job.id)).status, 'cancelled');
});

test('what cannot be honoured is refused under its own name', async () => {
  const jobs = client.fineTuning.jobs;
  const file = await upload();
  const missing = await failure(jobs.create({ model, training_file: 'file-nothing' }));
  assert.deepEqual([missing.status, missing.param, missing.code], [404, 'training_file', 'file_not_found']);
  const unknown = await failure(jobs.create({ model: 'nobody/nothing', training_file: file.id }));
  assert.deepEqual([unknown.status, unknown.param], [404, 'model']);
  const integration = await failure(jobs.create({ model, training_file: file.id, integrations: [{ type: 'wandb', wandb: { project: 'p' } }] }));
  assert.deepEqual([integration.status, integration.param], [400, 'integrations']);
  const reinforced = await failure(jobs.create({ model, training_file: file.id, method: { type: 'reinforcement', reinforcement: { grader: {} } } }));
  assert.equal(reinforced.status, 400);
  assert.match(reinforced.param, /^method\./);
});

test('files are listed by purpose, read back and expire', async () => {
  const file = await client.files.create({ file: await toFile(Buffer.from(rows), 'b.jsonl'), purpose: 'fine-tune', expires_after: { anchor: 'created_at', seconds: 3600 } });
  assert.ok(file.expires_at >= file.created_at + 3600 - 2);
  const ids = [];
  for await (const one of client.files.list({ purpose: 'fine-tune', limit: 2 })) ids.push(one.id);
  assert.ok(ids.includes(file.id));
  assert.equal(await (await client.files.content(file.id)).text(), rows);
  assert.equal((await client.files.retrieve(file.id)).bytes, rows.length);
});
