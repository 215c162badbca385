// Trains the same flows in three libraries on WebGPU; scripts/bench-training.mjs drives it and prints the tables.

import { Gpu } from '../../src/index.js';
import { describeAdapter } from '../src/adapter.js';
import { adapterRequest } from '../src/settings.js';
import { type Comparison, compare, type Options } from './compare.js';
import { problemOf, settings } from './problems.js';

declare global {
  interface Window {
    trainingProblems: readonly string[];
    compareTraining: (index: number, options: Options) => Promise<Comparison>;
  }
}

window.trainingProblems = settings.map(({ name }) => name);

window.describeAdapter = describeAdapter;

window.compareTraining = async (index, options) => {
  const setting = settings[index]!;
  const gpu = await Gpu.request(adapterRequest);
  // The same seed gives the run the same weights on a device of its own, as each library has one.
  const problem = await problemOf(setting, await setting.build(gpu));
  gpu.dispose();
  return compare(problem, setting.build, options, (text) => window.reportProgress?.(text));
};
