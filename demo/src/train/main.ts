// The page of training: its controls, what it says, and how it starts.

import { toys } from '../../../examples/data/toys.js';
import { AdapterError, DeviceLostError, type Gpu, isSoftwareAdapter, PushforwardError } from '../../../src/index.js';
import { freshCanvas, type Presentation, rememberCopied, rememberedPresentation } from '../canvas-window.js';
import { adapterName, colourOf, element, requestGpu, sentence, showNotice } from '../furniture.js';
import { integer, measured } from '../text.js';
import { Chart } from './chart.js';
import { chooseFile, chosenFlow, chosenTraining, download, FieldError, fillSelect, onFile } from './controls.js';
import { type DataSet, tableData, toyData } from './data.js';
import { openFlow } from './flows.js';
import type { Progress } from './run.js';
import { type Outcome, Studio } from './studio.js';
import { DataError, readTable } from './table.js';
import { type Canvases, type Look, View } from './view.js';
import { duration, loss as lossText, span } from './words.js';

const FILE = 'file';

const controls = element<HTMLFormElement>('controls');
const controlsSet = element<HTMLFieldSetElement>('controls-set');
const trainingSet = element<HTMLFieldSetElement>('training');
const dataSelect = element<HTMLSelectElement>('data');
const across = element<HTMLSelectElement>('across');
const up = element<HTMLSelectElement>('up');
const logarithmic = element<HTMLInputElement>('logarithmic');
const runButton = element<HTMLButtonElement>('run');
const board = element('board');
const notice = element('notice');

let gpu: Gpu | null = null;
let studio: Studio | null = null;
let chart: Chart | null = null;
let software = false;
/** The last file that was dropped. */
let dropped: DataSet | null = null;
const drawn = new Map<string, DataSet>();

function say(text: string): void {
  element('status').textContent = text;
}

/** What the list of data says. A toy is drawn when it is first asked for. */
function chosenData(): DataSet {
  if (dataSelect.value === FILE && dropped) return dropped;
  const toy = toys.find(({ name }) => name === dataSelect.value) ?? toys[0]!;
  let data = drawn.get(toy.name);
  if (!data) {
    data = toyData(toy);
    drawn.set(toy.name, data);
  }
  return data;
}

function listData(chosen: string): void {
  const options = toys.map(({ name }) => ({ value: name, text: name.charAt(0).toUpperCase() + name.slice(1) }));
  fillSelect(dataSelect, dropped ? [...options, { value: FILE, text: dropped.name }] : options, chosen);
}

const look = (): Look => ({
  paper: colourOf('--tile'),
  ink: colourOf('--ink'),
  quiet: colourOf('--quiet'),
  logarithmic: logarithmic.checked,
  across: Math.max(0, across.selectedIndex),
  up: Math.max(0, up.selectedIndex),
});

function repaint(): void {
  // A lost device is announced elsewhere.
  studio?.view.paint(look()).catch(() => {});
}

// --- What is shown -------------------------------------------------------------------------------------------------------------------

/** Another flow or other data. */
function showFlow(): void {
  if (!studio) return;
  const { columns, data, openedFrom, parameters } = studio;
  board.classList.toggle('flat', columns.length !== 2);
  element('columns').hidden = columns.length <= 2;
  const options = columns.map((text, i) => ({ value: String(i), text }));
  const former = look();
  const stays = [...across.options].map(({ text }) => text).join('\n') === columns.join('\n');
  fillSelect(across, options, String(stays ? former.across : 0));
  fillSelect(up, options, String(stays ? former.up : Math.min(1, columns.length - 1)));
  showAxes();
  element('step').textContent = element('pace').textContent = element('left').textContent = '–';
  element('entropy-key').hidden = data?.entropy == null;
  element('entropy').textContent = data?.entropy == null ? '–' : lossText(data.entropy);
  if (chart) chart.floor = data?.entropy ?? null;
  showLosses();
  showState();
  repaint();
  const size = `${integer(parameters)} parameters`;
  const flow = openedFrom === null ? `A fresh flow of ${size}.` : `The flow of ${openedFrom}, ${size}.`;
  if (!data) {
    const lacks = `It has ${columns.length} ${columns.length === 1 ? 'column' : 'columns'}`;
    say(`${flow} ${lacks}: to train it on, drop a file that has as many.`);
    return;
  }
  const rows = data.train.length / columns.length;
  const held = data.validation ? ` ${integer(data.validation.length / columns.length)} more are held out.` : '';
  say(`${flow} Start trains it on ${integer(rows)} rows.${held}`);
}

function showAxes(): void {
  if (!studio) return;
  const { columns, ranges } = studio;
  const part = (name: string, column: number) => `${name} ${columns[column]}, ${span(ranges[column]!)}`;
  const { across: x, up: y } = look();
  element('axes').textContent = columns.length === 1 ? `${part('Across:', 0)}.` : `${part('Across:', x)}. ${part('Up:', y)}.`;
}

function showLosses(): void {
  const { training, validation } = studio?.curve.latest ?? { training: null, validation: null };
  element('training-loss').textContent = training === null ? '–' : lossText(training);
  element('validation-loss').textContent = validation === null ? '–' : lossText(validation);
}

/** Buttons follow what can be done. */
function showState(): void {
  if (!studio) return;
  const { state, data } = studio;
  runButton.textContent = { empty: 'Start', resting: studio.isTrained ? 'Train on' : 'Start', running: 'Pause', paused: 'Resume' }[state];
  runButton.disabled = state === 'empty' || (state === 'resting' && !data);
  trainingSet.disabled = state === 'running' || state === 'paused';
  element<HTMLButtonElement>('download').disabled = state === 'empty';
}

function showProgress({ step, steps, stepsPerSecond, secondsLeft }: Progress): void {
  element('step').textContent = `${integer(step)} of ${integer(steps)}`;
  element('pace').textContent = Number.isNaN(stepsPerSecond) ? '–' : measured(stepsPerSecond);
  element('left').textContent = Number.isNaN(secondsLeft) ? '–' : duration(secondsLeft);
  chart?.show();
  showLosses();
}

function showTrained({ steps, loss, best }: Outcome): void {
  showState();
  const entropy = studio?.data?.entropy;
  const above = entropy == null ? '' : `, ${lossText(loss - entropy)} above the entropy`;
  const kept = best !== null && best < steps ? ` The flow has the parameters of step ${integer(best)}, the best on held-out rows.` : '';
  say(`Trained for ${integer(steps)} steps: ${best === null ? 'loss' : 'validation loss'} ${lossText(loss)} nats${above}.${kept}`);
}

// --- Wishes --------------------------------------------------------------------------------------------------------------------------

/** Runs what may be refused in words. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    refuse(error);
  }
}

/** What the reader can mend is said beside the controls, all else over the pictures. */
function refuse(error: unknown): void {
  showState();
  if (error instanceof DeviceLostError) return; // told where the loss is
  if (error instanceof DataError || error instanceof FieldError || error instanceof PushforwardError) say(sentence(error.message));
  else fail(error);
}

async function take(file: File): Promise<void> {
  if (!studio) return;
  try {
    if (/\.safetensors$/i.test(file.name)) {
      const { gpu: own } = studio;
      say(`Opening ${file.name}.`);
      return studio.adopt(() => openFlow(own, file), file.name, chosenData());
    }
    say(`Reading ${file.name}.`);
    const data = tableData(file.name, await readTable(file));
    dropped = data;
    listData(FILE);
    studio?.learnFrom(data, chosenFlow());
  } catch (error) {
    refuse(error);
  }
}

function runOrPause(): void {
  if (!studio) return;
  const { state, data } = studio;
  if (state === 'running') {
    studio.pause();
    runButton.textContent = 'Resume';
  } else if (state === 'paused') {
    studio.resume();
    say('Training.');
    showState();
  } else if (state === 'resting' && data) {
    studio.start(chosenTraining(data.train.length / data.columns.length));
    say('Training: compiling the kernels first.');
    showState();
  }
}

// --- Start, and what can go wrong ----------------------------------------------------------------------------------------------------

function tell(heading: string, text: string, again = false): void {
  showNotice(notice, heading, text, again ? () => void start() : null);
  controlsSet.disabled = true;
  say(heading);
}

function fail(error: unknown): void {
  const message = sentence(error instanceof Error ? error.message : String(error));
  if (error instanceof AdapterError) tell('No WebGPU here', message);
  else tell('Something went wrong', message, true);
  if (!(error instanceof AdapterError)) console.error(error);
}

function showAdapter(info: Partial<GPUAdapterInfo>): void {
  software = isSoftwareAdapter(info);
  element('adapter-name').textContent = adapterName(info);
  element('adapter').classList.toggle('software', software);
  element('adapter-note').textContent = software
    ? 'This is a software adapter: WebGPU runs on the processor here. The same training takes a small part of the time on a GPU.'
    : '';
}

const canvasOf = (id: string) => element<HTMLCanvasElement>(id);

async function start(presentation: Presentation = rememberedPresentation()): Promise<void> {
  notice.hidden = true;
  say('Starting.');
  const former = gpu;
  gpu = null;
  studio = null;
  former?.dispose();
  let shown = false;
  try {
    const own = await requestGpu(presentation === 'copied' ? 10 : 1);
    gpu = own;
    own.device.addEventListener('uncapturederror', (event) => console.error(event.error.message));
    void own.device.lost.then(({ message }) => {
      // A new start disposes of the former device; only the loss of the present one is worth a word.
      if (own !== gpu) return;
      studio = null;
      if (presentation === 'direct' && !shown) {
        rememberCopied();
        void start('copied');
        return;
      }
      tell('The GPU went away', `The browser lost its device${message ? ` (${message})` : ''}, and with it what was not downloaded.`, true);
    });
    showAdapter(own.device.adapterInfo);
    const ids = ['density', 'data-points', 'sample-points'];
    const [density, data, samples] = ids.map((id) => (presentation === 'copied' ? freshCanvas(canvasOf(id)) : canvasOf(id)));
    const canvases: Canvases = { density: density!, data: data!, samples: samples! };
    const view = await View.create(own, canvases, presentation, software, look());
    const made = new Studio(own, view, {
      ready: () => {
        shown = true;
        showFlow();
      },
      progress: (progress) => {
        if (progress.measuredAt === 0 || progress.step === 1) say('Training.');
        showProgress(progress);
      },
      paused: (step) => say(`Paused at step ${integer(step)}. What is downloaded now is the flow as it stands.`),
      trained: showTrained,
      failed: refuse,
    });
    studio = made;
    chart?.destroy();
    chart = new Chart(element('chart'), made.curve);
    controlsSet.disabled = false;
    made.renew(chosenData(), chosenFlow());
  } catch (error) {
    fail(error);
  }
}

controls.addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(runOrPause);
});
controls.addEventListener('change', ({ target }) => {
  if (!(target instanceof Element) || target.closest('#training') || target.id === 'file') return;
  if (target === across || target === up) {
    showAxes();
    return repaint();
  }
  attempt(() => {
    if (target === dataSelect) studio?.learnFrom(chosenData(), chosenFlow());
    else studio?.renew(chosenData(), chosenFlow());
  });
});
element('reset').addEventListener('click', () => attempt(() => studio?.renew(chosenData(), chosenFlow())));
element('choose').addEventListener('click', () => chooseFile('.csv,.tsv,.txt,.npy'));
element('open').addEventListener('click', () => chooseFile('.safetensors'));
element('download').addEventListener('click', async () => {
  if (!studio?.flow) return;
  const name = (studio.data?.name ?? studio.openedFrom ?? 'flow').replace(/\.\w+$/, '').replace(/\s+/g, '-');
  download(`${name}.safetensors`, await studio.save());
});
onFile(
  (file) => void take(file),
  (hovering) => board.classList.toggle('dropping', hovering),
);
logarithmic.addEventListener('change', repaint);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  chart?.restyle();
  repaint();
});
new ResizeObserver(repaint).observe(board);
listData(toys[0]!.name);
void start();
