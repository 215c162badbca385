// The page: a form for a reader, and two functions for scripts/bench.mjs.

import { version } from '../../package.json';
import { Gpu } from '../../src/index.js';
import { compareText } from './compare-runs.js';
import { adapterClass, toText } from './report.js';
import type { Results } from './results.js';
import { type About, runBenchmark } from './run.js';
import { adapterRequest, presets, type SectionName, type Settings, sectionNames } from './settings.js';
import { element, show } from './view.js';

export interface PageOptions {
  readonly size: Settings['size'];
  readonly rounds?: number;
  readonly only?: readonly SectionName[];
  /** Of the section `beside`. */
  readonly passes?: number;
  readonly tasks?: string;
  readonly commit?: string;
  readonly compare?: Results;
}

export interface PageAnswer {
  readonly results: Results;
  readonly text: string;
  /** Suggested name of the JSON file. */
  readonly fileName: string;
}

declare global {
  interface Window {
    runPushforwardBenchmark(options: PageOptions): Promise<PageAnswer>;
    /** What decides which runs this one may be compared with. */
    benchmarkAdapterClass(): Promise<string>;
    /** Where scripts/bench.mjs listens. */
    reportProgress?(text: string): void;
  }
}

const find = <T extends HTMLElement>(id: string, type: new () => T): T => {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`bench/index.html has no ${type.name} #${id}`);
  return found;
};

const form = find('form', HTMLFormElement);
const status = find('status', HTMLParagraphElement);
const output = find('output', HTMLElement);
const choices = sectionNames.map((name) => {
  const label = element('label', '', find('sections', HTMLFieldSetElement));
  const box = element('input', '', label);
  box.type = 'checkbox';
  box.checked = true;
  label.append(` ${name}`);
  return { name, box };
});

function progress(text: string): void {
  status.textContent = text;
  window.reportProgress?.(text);
}

window.benchmarkAdapterClass = async () => {
  const gpu = await Gpu.request(adapterRequest);
  const { adapterInfo } = gpu.device;
  gpu.dispose();
  return adapterClass(adapterInfo);
};

window.runPushforwardBenchmark = async ({ size, rounds, only, passes, tasks, commit, compare }) => {
  const preset = presets[size];
  const beside = { ...preset.beside, passes: passes ?? preset.beside.passes, tasks: tasks ?? preset.beside.tasks };
  const settings: Settings = { ...preset, rounds: rounds ?? preset.rounds, only: only ?? preset.only, beside };
  const about: About = { library: version, commit: commit ?? null };
  const results = await runBenchmark(settings, about, progress);
  const day = results.environment.date.slice(0, 16).replaceAll(':', '');
  const text = compare ? `${toText(results)}\n${compareText(results, compare)}` : toText(results);
  const fileName = `${adapterClass(results.environment.adapter)}-${day}.json`;
  show(results, fileName, output);
  progress(results.verified ? 'done' : 'done; some results are wrong');
  return { results, text, fileName };
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = find('run', HTMLButtonElement);
  button.disabled = true;
  try {
    await window.runPushforwardBenchmark({
      size: find('quick', HTMLInputElement).checked ? 'quick' : 'full',
      only: choices.filter(({ box }) => box.checked).map(({ name }) => name),
    });
  } catch (error) {
    status.textContent = String(error);
  } finally {
    button.disabled = false;
  }
});
