// The official client as a user makes it: address and key come from its own environment variables.
import OpenAI from 'openai';

export const client = new OpenAI({ maxRetries: 0, timeout: 50_000 });
export const model = process.env.LANGTRAIN_MODEL;

/** Reads a stream to its end. */
export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** The error that a call ends with; fails if it does not. */
export async function failure(call) {
  try {
    await call;
  } catch (error) {
    if (error instanceof OpenAI.APIError) return error;
    throw error;
  }
  throw new Error('The call was expected to fail.');
}
