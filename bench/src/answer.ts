// A run as its options ask for it, and what scripts/bench.mjs prints and writes of it: for main.ts on a page, and for scripts/bench-node.mjs in Node.

import { version } from '../../package.json';
import { Gpu } from '../../src/index.js';
import { compareText } from './compare-runs.js';
import { adapterClass, toText } from './report.js';
import type { Results } from './results.js';
import { type About, runBenchmark } from './run.js';
import { adapterRequest, presets, type SectionName, type Settings } from './settings.js';

export interface RunOptions {
  readonly size: Settings['size'];
  readonly rounds?: number;
  readonly only?: readonly SectionName[];
  /** Of the section `beside`. */
  readonly passes?: number;
  readonly tasks?: string;
  readonly commit?: string;
  readonly compare?: Results;
}

export interface Answer {
  readonly results: Results;
  readonly text: string;
  /** Suggested name of the JSON file. */
  readonly fileName: string;
}

/** What decides which runs one here may be compared with. */
export async function ownAdapterClass(): Promise<string> {
  const gpu = await Gpu.request(adapterRequest);
  const { adapterInfo } = gpu.device;
  gpu.dispose();
  return adapterClass(adapterInfo);
}

export async function answer(options: RunOptions, progress: (text: string) => void): Promise<Answer> {
  const { size, rounds, only, passes, tasks, commit, compare } = options;
  const preset = presets[size];
  const beside = { ...preset.beside, passes: passes ?? preset.beside.passes, tasks: tasks ?? preset.beside.tasks };
  const settings: Settings = { ...preset, rounds: rounds ?? preset.rounds, only: only ?? preset.only, beside };
  const about: About = { library: version, commit: commit ?? null };
  const results = await runBenchmark(settings, about, progress);
  const day = results.environment.date.slice(0, 16).replaceAll(':', '');
  const text = compare ? `${toText(results)}\n${compareText(results, compare)}` : toText(results);
  return { results, text, fileName: `${adapterClass(results.environment.adapter)}-${day}.json` };
}
