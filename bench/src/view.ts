// Results on the page: tables, charts, and the file.

import { besideCharts, growthChart } from './chart.js';
import { environmentLines, growthTables, profileTables, sectionsOf, sectionTable, type Table } from './report.js';
import type { Results } from './results.js';

export const element = <K extends keyof HTMLElementTagNameMap>(name: K, text = '', parent?: Element): HTMLElementTagNameMap[K] => {
  const made = document.createElement(name);
  made.textContent = text;
  parent?.append(made);
  return made;
};

/** Columns that nothing stands in are left out. */
function showTable({ title, header, rows, left }: Table, output: HTMLElement): void {
  const filled = header.map((_, column) => rows.some((row) => row[column] !== ''));
  element('h2', title, output);
  const scroller = element('div', '', output);
  scroller.className = 'scroll';
  const table = element('table', '', scroller);
  const line = (cells: readonly string[], tag: 'th' | 'td') => {
    const tr = element('tr', '', table);
    for (const [column, text] of cells.entries()) {
      if (!filled[column]) continue;
      const cell = element(tag, text, tr);
      if (left.includes(column)) cell.className = 'left';
      if (text === 'WRONG') tr.className = 'wrong';
    }
  };
  line(header, 'th');
  for (const row of rows) line(row, 'td');
}

function charts(output: HTMLElement): HTMLElement {
  const place = element('div', '', output);
  place.className = 'charts';
  return place;
}

export function show(results: Results, fileName: string, output: HTMLElement): void {
  output.replaceChildren();
  if (results.environment.software) element('p', 'Software adapter: the CPU computes.', output).className = 'warning';
  element('pre', environmentLines(results.environment, results.complaints).join('\n'), output);
  for (const section of sectionsOf(results)) {
    showTable(sectionTable(results, section), output);
    if (section === 'maf') for (const table of profileTables(results)) showTable(table, output);
    if (section === 'growth') {
      for (const table of growthTables(results.growth)) showTable(table, output);
      const place = charts(output);
      for (const growth of results.growth) growthChart(place, growth);
    }
    if (section === 'beside') besideCharts(charts(output), results.rows);
  }
  const link = element('a', `Save ${fileName}`, element('p', '', output));
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(results, null, 2)}\n`], { type: 'application/json' }));
  link.download = fileName;
}
