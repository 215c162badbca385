// The same tasks in this library and in three others, in one page; scripts/bench-beside.mjs drives it and prints the tables.

import { describeAdapter } from '../src/adapter.js';
import { type Comparison, compare, type Options } from './compare.js';
import { problems, type sizes } from './problems.js';

declare global {
  interface Window {
    besideProblems: (size: keyof typeof sizes) => readonly string[];
    compareBeside: (size: keyof typeof sizes, name: string, options: Options) => Promise<Comparison>;
  }
}

window.describeAdapter = describeAdapter;
window.besideProblems = (size) => Object.keys(problems(size));
window.compareBeside = (size, name, options) => compare(problems(size)[name]!, options, (text) => window.reportProgress?.(text));
