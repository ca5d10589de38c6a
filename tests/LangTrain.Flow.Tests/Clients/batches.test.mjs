import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFile } from 'openai';
import { client, failure, model } from './openai.mjs';

const line = (i, body = {}) => JSON.stringify({
  custom_id: `line-${i}`, method: 'POST', url: '/v1/chat/completions',
  body: { model, messages: [{ role: 'user', content: `Count to ${i}` }], max_tokens: 4, temperature: 0, ...body },
});

const upload = (lines) => toFile(Buffer.from(lines.join('\n')), 'requests.jsonl').then((file) => client.files.create({ file, purpose: 'batch' }));

async function ended(batch) {
  for (let i = 0; i < 400 && ['validating', 'in_progress', 'finalizing', 'cancelling'].includes(batch.status); i++) {
    await new Promise((done) => setTimeout(done, 100));
    batch = await client.batches.retrieve(batch.id);
  }
  return batch;
}

const rows = async (id) => (await (await client.files.content(id)).text()).trim().split('\n').map((text) => JSON.parse(text));

test('a batch runs from file to files', async () => {
  const file = await upload([...Array(20).keys()].map((i) => line(i)).concat(line('bad', { temperature: 9 })));
  const made = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { of: 'tests' } });
  assert.deepEqual([made.object, made.completion_window, made.metadata.of], ['batch', '24h', 'tests']);

  const batch = await ended(made);
  assert.equal(batch.status, 'completed');
  assert.deepEqual(batch.request_counts, { total: 21, completed: 20, failed: 1 });
  const answers = await rows(batch.output_file_id);
  assert.deepEqual(answers.map((row) => row.custom_id), [...Array(20).keys()].map((i) => `line-${i}`));
  const alone = await client.chat.completions.create(JSON.parse(line(7)).body);
  assert.equal(answers[7].response.body.choices[0].message.content, alone.choices[0].message.content);
  const [bad] = await rows(batch.error_file_id);
  assert.deepEqual([bad.custom_id, bad.response.status_code, bad.response.body.error.param], ['line-bad', 400, 'temperature']);
  assert.equal((await client.files.retrieve(batch.output_file_id)).purpose, 'batch_output');

  const listed = await client.batches.list({ limit: 1 });
  assert.equal(listed.data[0].id, batch.id);
  assert.equal((await failure(client.batches.cancel(batch.id))).status, 409);
});

test('a batch of bad lines fails with their numbers', async () => {
  const file = await upload([line(1), '{"custom_id":', line(1)]);
  const batch = await ended(await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' }));
  assert.equal(batch.status, 'failed');
  assert.deepEqual(batch.errors.data.map((e) => [e.line, e.code]), [[2, 'invalid_json_line'], [3, 'duplicate_custom_id']]);
});

test('a batch can be cancelled', async () => {
  const file = await upload([...Array(600).keys()].map((i) => line(i, { max_tokens: 400, logit_bias: { 1: -100, 3: -100 } })));
  const made = await client.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
  assert.ok(['cancelling', 'cancelled'].includes((await client.batches.cancel(made.id)).status));
  const batch = await ended(made);
  assert.equal(batch.status, 'cancelled');
  const { total, completed, failed } = batch.request_counts;
  assert.equal(completed + failed, total);
});

test('what a batch cannot be is refused by name', async () => {
  for (const [param, value] of Object.entries({ endpoint: '/v1/embeddings', completion_window: '7d', input_file_id: 'file-none' })) {
    const refused = await failure(client.batches.create({ input_file_id: 'file-x', endpoint: '/v1/completions', completion_window: '24h', [param]: value }));
    assert.equal(refused.param, param);
  }
});
