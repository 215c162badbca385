// Runs in the page that the command opens in headless Chrome: fetches a job, runs it, posts its answer.

import { Gpu, isSoftwareAdapter } from 'pushforward';
import { type Job, runJob } from './jobs.js';
import type { Answer } from './page-server.js';
import { sentence } from './usage.js';
import { pack, unpack } from './wire.js';

const post = async (name: string, value: unknown): Promise<Response> => fetch(name, { method: 'POST', body: pack(value) });

/** What `null` instead of a job asks for. */
export interface Adapter {
  readonly name: string;
  readonly software: boolean;
}

async function look(): Promise<Adapter | null> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return null;
  const { info } = adapter;
  return { name: info.description || info.device || `${info.vendor} ${info.architecture}`.trim(), software: isSoftwareAdapter(info) };
}

async function answer(): Promise<Answer> {
  try {
    const job = unpack(new Uint8Array(await (await fetch('job')).arrayBuffer())) as Job | null;
    if (job === null) return { result: await look() };
    const gpu = await Gpu.request();
    return { result: await runJob(gpu, job, async (...report) => (await post('progress', report)).json() as Promise<boolean>) };
  } catch (error) {
    return { error: sentence(error) };
  }
}

await post('answer', await answer());
