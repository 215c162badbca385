// The page: a form for a reader, and two functions for scripts/bench.mjs.

import { version } from '../../package.json';
import { growthChart } from './chart.js';
import { adapterClass, compareText, environmentLines, growthTables, profileTables, resultTables, type Table, toText } from './report.js';
import type { Results } from './results.js';
import { type About, runBenchmark } from './run.js';
import { presets, type SectionName, type Settings } from './settings.js';

export interface PageOptions {
  readonly size: Settings['size'];
  readonly rounds?: number;
  readonly only?: readonly SectionName[];
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
    /** Where scripts/bench.mjs listens. */
    reportProgress?(text: string): void;
  }
}

const element = <K extends keyof HTMLElementTagNameMap>(name: K, text = '', parent?: Element): HTMLElementTagNameMap[K] => {
  const made = document.createElement(name);
  made.textContent = text;
  parent?.append(made);
  return made;
};

const find = <T extends HTMLElement>(id: string, type: new () => T): T => {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`bench/index.html has no ${type.name} #${id}`);
  return found;
};

const form = find('form', HTMLFormElement);
const status = find('status', HTMLParagraphElement);
const output = find('output', HTMLElement);

function showTable({ title, header, rows, left }: Table): void {
  element('h2', title, output);
  const scroller = element('div', '', output);
  scroller.className = 'scroll';
  const table = element('table', '', scroller);
  const line = (cells: readonly string[], tag: 'th' | 'td') => {
    const tr = element('tr', '', table);
    for (const [column, text] of cells.entries()) {
      const cell = element(tag, text, tr);
      if (left.includes(column)) cell.className = 'left';
      if (text === 'WRONG') tr.className = 'wrong';
    }
  };
  line(header, 'th');
  for (const row of rows) line(row, 'td');
}

function show({ results, fileName }: PageAnswer): void {
  output.replaceChildren();
  if (results.environment.software) element('p', 'Software adapter: the CPU computes.', output).className = 'warning';
  element('pre', environmentLines(results.environment, results.complaints).join('\n'), output);
  for (const table of resultTables(results)) showTable(table);
  for (const table of growthTables(results.growth)) showTable(table);
  if (results.growth) growthChart(element('div', '', output), results.growth);
  for (const table of profileTables(results.profiles)) showTable(table);
  const link = element('a', `Save ${fileName}`, output);
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(results, null, 2)}\n`], { type: 'application/json' }));
  link.download = fileName;
}

function progress(text: string): void {
  status.textContent = text;
  window.reportProgress?.(text);
}

window.runPushforwardBenchmark = async ({ size, rounds, only, commit, compare }) => {
  const preset = presets[size];
  const settings: Settings = { ...preset, rounds: rounds ?? preset.rounds, only: only ?? preset.only };
  const about: About = { library: version, commit: commit ?? null };
  const results = await runBenchmark(settings, about, progress);
  const day = results.environment.date.slice(0, 16).replaceAll(':', '');
  const text = compare ? `${toText(results)}\n${compareText(results, compare)}` : toText(results);
  const answer = { results, text, fileName: `${adapterClass(results.environment)}-${day}.json` };
  show(answer);
  progress(results.verified ? 'done' : 'done; some results are wrong');
  return answer;
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = find('run', HTMLButtonElement);
  button.disabled = true;
  try {
    await window.runPushforwardBenchmark({ size: find('quick', HTMLInputElement).checked ? 'quick' : 'full' });
  } catch (error) {
    status.textContent = String(error);
  } finally {
    button.disabled = false;
  }
});
