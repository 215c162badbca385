// Where the GPU's work runs: in this process, through the package `webgpu`, or in a headless Chrome, through `puppeteer-core`.

import { BUNDLED } from './browsers.js';
import { openChrome } from './chrome-engine.js';
import type { Job, Report, ResultOf } from './jobs.js';
import { openNode } from './node-engine.js';
import { CommandError } from './usage.js';

export interface Engine {
  /** For people: the adapter and where it is. */
  readonly name: string;
  /** Whether the adapter computes on the processor. */
  readonly software: boolean;
  /** @throws an error whose message is for people. */
  run<J extends Job>(job: J, report: Report): Promise<ResultOf<J>>;
  close(): Promise<void>;
}

export const ENGINES = ['auto', 'node', 'chrome'] as const;
export type EngineName = (typeof ENGINES)[number];

/** What an engine that is not there lacks. */
export interface Missing {
  readonly missing: string;
}

/** @throws CommandError that says how to get one, where there is none. */
export async function openEngine(wanted: EngineName): Promise<Engine> {
  const reasons: string[] = [];
  if (wanted !== 'chrome') {
    const engine = await openNode();
    if ('run' in engine) return engine;
    reasons.push(engine.missing);
  }
  if (wanted !== 'node') {
    const engine = await openChrome();
    if ('run' in engine) return engine;
    reasons.push(engine.missing);
  }
  throw new CommandError(
    `no WebGPU here (${reasons.join('; ')}): \`npm install puppeteer-core ${BUNDLED}\` brings a Chromium for x86-64 Linux, puppeteer-core alone ` +
      'is enough beside an installed Chrome, and `npm install webgpu` where there is a GPU with its driver',
  );
}
