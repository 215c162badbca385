// What the page says about the flow, its pictures and its training.

import { element } from '../furniture.js';
import { integer, measured } from '../text.js';
import type { Chart } from './chart.js';
import { fillSelect } from './controls.js';
import type { Progress } from './run.js';
import type { Outcome, Studio } from './studio.js';
import { duration, loss as lossText, span } from './words.js';

const across = element<HTMLSelectElement>('across');
const up = element<HTMLSelectElement>('up');

const set = (id: string, text: string): void => {
  element(id).textContent = text;
};

export const say = (text: string): void => set('status', text);

/** Columns that are drawn. */
export const chosenColumns = () => ({ across: Math.max(0, across.selectedIndex), up: Math.max(0, up.selectedIndex) });

const plural = (count: number, thing: string): string => `${integer(count)} ${thing}${count === 1 ? '' : 's'}`;

/** Another flow or other data. */
export function showFlow(studio: Studio, chart: Chart): void {
  const { columns, data, openedFrom, parameters } = studio;
  const entropy = data?.entropy ?? null;
  element('board').classList.toggle('flat', columns.length !== 2);
  element('columns').hidden = columns.length <= 2;
  element('shading').hidden = columns.length !== 2;
  const options = columns.map((text, i) => ({ value: String(i), text }));
  const former = chosenColumns();
  const stays = [...across.options].map(({ text }) => text).join('\n') === columns.join('\n');
  fillSelect(across, options, String(stays ? former.across : 0));
  fillSelect(up, options, String(stays ? former.up : Math.min(1, columns.length - 1)));
  showAxes(studio);
  for (const id of ['step', 'pace', 'left']) set(id, '–');
  element('entropy-key').hidden = element('entropy-note').hidden = entropy === null;
  set('entropy', entropy === null ? '–' : lossText(entropy));
  chart.floor = entropy;
  showLosses(studio);
  showState(studio);
  const flow = `${openedFrom === null ? 'A fresh flow' : `The flow of ${openedFrom}`}, ${plural(parameters, 'parameter')}.`;
  if (!data) {
    say(`${flow} It has ${plural(columns.length, 'column')}: to go on training it, choose data with as many.`);
    return;
  }
  const held = data.validation ? ` ${integer(data.validation.length / columns.length)} more are held out.` : '';
  say(`${flow} Start trains it on ${plural(data.train.length / columns.length, 'row')}.${held}`);
}

export function showAxes({ columns, ranges }: Studio): void {
  const chosen = chosenColumns();
  const part = (name: string, column: number) => `${name} ${columns[column]}, ${span(ranges[column]!)}.`;
  set('axes', columns.length === 1 ? part('Across:', 0) : `${part('Across:', chosen.across)} ${part('Up:', chosen.up)}`);
}

function showLosses({ curve }: Studio): void {
  for (const [name, value] of Object.entries(curve.latest)) set(`${name}-loss`, value === null ? '–' : lossText(value));
}

/** Buttons follow what can be done. */
export function showState({ state, data, isTrained }: Studio): void {
  const button = element<HTMLButtonElement>('run');
  button.textContent = { empty: 'Start', resting: isTrained ? 'Train on' : 'Start', running: 'Pause', paused: 'Resume' }[state];
  button.disabled = state === 'empty' || (state === 'resting' && !data);
  element<HTMLFieldSetElement>('training').disabled = state === 'running' || state === 'paused';
  element<HTMLButtonElement>('download').disabled = state === 'empty';
}

export function showProgress(studio: Studio, chart: Chart, { step, steps, stepsPerSecond, secondsLeft }: Progress): void {
  set('step', `${integer(step)} of ${integer(steps)}`);
  set('pace', Number.isNaN(stepsPerSecond) ? '–' : measured(stepsPerSecond));
  set('left', Number.isNaN(secondsLeft) ? '–' : duration(secondsLeft));
  chart.show();
  showLosses(studio);
}

export function showTrained(studio: Studio, { steps, loss, best }: Outcome): void {
  showState(studio);
  const entropy = studio.data?.entropy ?? null;
  const above = entropy === null ? '' : `, ${lossText(loss - entropy)} above the entropy`;
  const kept = best !== null && best < steps ? ` The flow has the parameters of step ${integer(best)}, the best on held-out rows.` : '';
  say(`Trained for ${plural(steps, 'step')}: ${best === null ? 'loss' : 'validation loss'} ${lossText(loss)} nats${above}.${kept}`);
}
