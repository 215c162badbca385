// What a page of headless Chrome gets its code and its job from, and gives its results to. It listens on this machine alone, under an
// address that only the page is told.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Job, Report } from './jobs.js';
import { sentence } from './usage.js';
import { pack, unpack } from './wire.js';

/** What a page posts as its result. */
export type Answer = { readonly result: unknown } | { readonly error: string };

export interface PageServer {
  /** A page at this address says what adapter it has, and runs the job that is set. */
  readonly address: string;
  /** The page's answer to a job; it may be opened from now on. */
  serve(job: Job | null, report: Report): Promise<Answer>;
  close(): void;
}

const PAGE = '<!doctype html><meta charset="utf-8"><title>pushforward</title><script type="module" src="cli-page.js"></script>';

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

export async function startPageServer(): Promise<PageServer> {
  const root = `/${randomUUID()}/`;
  let job: Uint8Array = new Uint8Array();
  let report: Report = async () => true;
  let settle: (answer: Answer) => void = () => undefined;

  async function respond(request: IncomingMessage): Promise<{ type: string; body: string | Uint8Array } | null> {
    const { url = '', method } = request;
    if (!url.startsWith(root)) return null;
    const name = url.slice(root.length);
    if (method === 'POST' && name === 'progress')
      return { type: 'application/json', body: JSON.stringify(await report(...(unpack(await bodyOf(request)) as Parameters<Report>))) };
    if (method === 'POST' && name === 'answer') {
      settle(unpack(await bodyOf(request)) as Answer);
      return { type: 'text/plain', body: '' };
    }
    if (name === '') return { type: 'text/html', body: PAGE };
    if (name === 'job') return { type: 'application/octet-stream', body: job };
    if (!/^[\w-]+\.js$/.test(name)) return null;
    return { type: 'text/javascript', body: await readFile(fileURLToPath(new URL(`./${name}`, import.meta.url))) };
  }

  const server = createServer((request, response) => {
    respond(request).then(
      (found) => {
        if (found) response.setHeader('content-type', found.type);
        response.statusCode = found ? 200 : 404;
        response.end(found?.body);
      },
      (error: unknown) => {
        // Nobody waits for an answer that cannot come.
        settle({ error: `the exchange with the page failed: ${sentence(error)}` });
        response.statusCode = 500;
        response.end();
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}${root}`,
    serve(next, listen) {
      job = pack(next);
      report = listen;
      return new Promise((resolve) => {
        settle = resolve;
      });
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
