// The page: a form for a reader, and two functions for scripts/bench.mjs.

import { type Answer, answer, ownAdapterClass, type RunOptions } from './answer.js';
import { sectionNames } from './settings.js';
import { element, show } from './view.js';

declare global {
  interface Window {
    runPushforwardBenchmark(options: RunOptions): Promise<Answer>;
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

window.benchmarkAdapterClass = ownAdapterClass;

window.runPushforwardBenchmark = async (options) => {
  const found = await answer(options, progress);
  show(found.results, found.fileName, output);
  progress(found.results.verified ? 'done' : 'done; some results are wrong');
  return found;
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
