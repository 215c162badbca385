// What the form says, and what it refuses.

import { element } from '../furniture.js';
import type { FlowChoice, Kind } from './flows.js';
import type { RunSettings } from './run.js';

const input = (id: string) => element<HTMLInputElement>(id);

/** A field that holds no number of its range. The message is for the page's reader. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
}

/** @throws FieldError, and marks the field. */
function numberIn(id: string, name: string): number {
  const field = input(id);
  const value = field.valueAsNumber;
  const [low, high] = [Number(field.min), Number(field.max)];
  const whole = field.step === '1';
  const fits = value >= low && value <= high && (!whole || Number.isInteger(value));
  field.setAttribute('aria-invalid', String(!fits));
  if (!fits) throw new FieldError(`${name} takes a ${whole ? 'whole number' : 'number'} from ${low} to ${high.toLocaleString('en')}.`);
  return value;
}

/** @throws FieldError */
export const chosenFlow = (): FlowChoice => ({
  // Not by FormData, which leaves out the controls of a disabled fieldset.
  kind: document.querySelector<HTMLInputElement>('input[name=kind]:checked')!.value as Kind,
  layers: numberIn('layers', 'Layers'),
  width: numberIn('width', 'Hidden width'),
});

/** @throws FieldError */
export const chosenTraining = (): RunSettings => ({
  steps: numberIn('steps', 'Steps'),
  batch: numberIn('batch', 'Batch'),
  learningRate: numberIn('rate', 'Learning rate'),
});

/** Fills the fields that the page's address names, as in train.html?kind=maf&layers=2&width=16. What a field does not take is refused when it is read. */
export function fillFrom(address: URLSearchParams): void {
  for (const id of ['layers', 'width', 'steps', 'batch', 'rate']) {
    const value = address.get(id);
    if (value !== null) input(id).value = value;
  }
  for (const radio of document.querySelectorAll<HTMLInputElement>('input[name=kind]'))
    if (radio.value === address.get('kind')) radio.checked = true;
}

/** Options of a list; what was chosen stays if it is still there. */
export function fillSelect(
  select: HTMLSelectElement,
  options: readonly { readonly value: string; readonly text: string }[],
  chosen: string,
): void {
  select.replaceChildren(...options.map(({ value, text }) => new Option(text, value)));
  select.value = chosen;
}

/** Files that are dropped anywhere on the page, or chosen. @param over is told while one hovers. */
export function onFile(take: (file: File) => void, over: (hovering: boolean) => void): void {
  const picker = input('file');
  picker.addEventListener('change', () => {
    const file = picker.files?.[0];
    picker.value = '';
    if (file) take(file);
  });
  addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    over(true);
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) over(false);
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}

/** Opens the browser's own choice of a file. */
export function chooseFile(accept: string): void {
  input('file').accept = accept;
  input('file').click();
}

export function download(name: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
