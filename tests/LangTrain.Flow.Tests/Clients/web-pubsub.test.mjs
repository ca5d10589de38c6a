// Azure's own client for Web PubSub, unmodified, at the address that a job's stream is negotiated to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebPubSubClient } from '@azure/web-pubsub-client';

const base = process.env.OPENAI_BASE_URL;
const headers = { Authorization: `Bearer ${process.env.OPENAI_API_KEY}` };

async function call(path, init = {}) {
  const answer = await fetch(new URL(path, base), { ...init, headers: { ...headers, ...init.headers } });
  const text = await answer.text();
  assert.ok(answer.ok, `${answer.status}: ${text}`);
  return JSON.parse(text);
}

test('a job is followed from its first event to its end, with nothing missing in between', async () => {
  const form = new FormData();
  form.append('purpose', 'fine-tune');
  const rows = Array.from({ length: 16 }, (_, i) => JSON.stringify({ prompt: `Number ${i} is`, completion: ` called ${i}.` }));
  form.append('file', new Blob([rows.join('\n')]), 'train.jsonl');
  const file = await call('files', { method: 'POST', body: form });
  const job = await call('fine-tunes', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      model_id: process.env.LANGTRAIN_MODEL,
      dataset: { type: 'jsonl', file_id: file.id },
      config: { method: 'lora', training_config: { epochs: 2 } },
    }),
  });

  const seen = new Map();
  let finish;
  const ended = new Promise((resolve) => { finish = resolve; });
  const hear = (event) => {
    const told = event.message.data;
    seen.set(told.sequence, told);
    if (told.type === 'status' && ['completed', 'failed', 'cancelled'].includes(told.status)) finish(told.status);
  };
  // The client asks for an address again whenever it has to connect anew.
  const client = new WebPubSubClient({ getClientAccessUrl: async () => (await call(`fine-tunes/${job.id}/stream/negotiate`, { method: 'POST' })).url });
  client.on('group-message', hear);
  client.on('server-message', hear);
  await client.start();
  assert.equal(await ended, 'completed');
  client.stop();

  const numbers = [...seen.keys()].sort((a, b) => a - b);
  assert.deepEqual(numbers, numbers.map((_, i) => i + 1), 'sequence numbers have a gap');
  assert.ok([...seen.values()].some((told) => told.type === 'metrics' && typeof told.data.loss === 'number'));
  assert.ok([...seen.values()].every((told) => told.job_id === job.id));
});
