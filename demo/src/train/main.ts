// The page of training: its controls, what it says, and how it starts.

import { toys } from '../../../examples/data/toys.js';
import { DataError } from '../../../src/cli/table.js';
import { AdapterError, DeviceLostError, type Gpu, isSoftwareAdapter, PushforwardError } from '../../../src/index.js';
import { freshCanvas, type Presentation, rememberCopied, rememberedPresentation } from '../canvas-window.js';
import { adapterName, colourOf, element, requestGpu, sentence, showNotice } from '../furniture.js';
import { integer } from '../text.js';
import { Chart } from './chart.js';
import { chooseFile, chosenFlow, chosenTraining, download, FieldError, fillFrom, fillSelect, onFile } from './controls.js';
import { type DataSet, tableData, toyData } from './data.js';
import { loadFlights } from './flights.js';
import { openFlow } from './flows.js';
import { chosenColumns, say, showAxes, showFlow, showProgress, showState, showTrained } from './panel.js';
import { Studio } from './studio.js';
import { readTable } from './table.js';
import { type Canvases, type Look, View } from './view.js';

const FILE = 'file';
const FLIGHTS = 'flights';
/** Instead of the number that the page has for a GPU. */
const SOFTWARE_STEPS = '1000';

const controls = element<HTMLFormElement>('controls');
const controlsSet = element<HTMLFieldSetElement>('controls-set');
const dataSelect = element<HTMLSelectElement>('data');
const stepsInput = element<HTMLInputElement>('steps');
const logarithmic = element<HTMLInputElement>('logarithmic');
const board = element('board');
const notice = element('notice');

let gpu: Gpu | null = null;
let studio: Studio | null = null;
let chart: Chart | null = null;
let software = false;
/** The last file that was dropped. */
let dropped: DataSet | null = null;
let flights: DataSet | null = null;
/** What the list of data said when it last counted. */
let learned = toys[0]!.name;
const drawn = new Map<string, DataSet>();

/** What the list of data says. A toy is drawn when it is first asked for. */
function chosenData(): DataSet {
  if (dataSelect.value === FILE && dropped) return dropped;
  if (dataSelect.value === FLIGHTS && flights) return flights;
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
  options.push({ value: FLIGHTS, text: 'Flights' });
  if (dropped) options.push({ value: FILE, text: dropped.name });
  fillSelect(dataSelect, options, chosen);
  learned = chosen;
}

/** Takes what the list of data says, which the flights have to be fetched for. */
async function learn(): Promise<void> {
  if (dataSelect.value === FLIGHTS && !flights) {
    controlsSet.disabled = true;
    say('Loading 200 000 flights.');
    try {
      flights = await loadFlights();
    } catch (error) {
      dataSelect.value = learned;
      return say(sentence(error instanceof Error ? error.message : String(error)));
    } finally {
      controlsSet.disabled = false;
    }
  }
  learned = dataSelect.value;
  attempt(() => studio?.learnFrom(chosenData(), chosenFlow()));
}

const look = (): Look => ({
  paper: colourOf('--tile'),
  ink: colourOf('--ink'),
  quiet: colourOf('--quiet'),
  logarithmic: logarithmic.checked,
  ...chosenColumns(),
});

function repaint(): void {
  // A lost device is announced elsewhere.
  studio?.view.paint(look()).catch(() => {});
}

// --- Wishes --------------------------------------------------------------------------------------------------------------------------

/** Runs what may be refused in words. */
function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    void refuse(error);
  }
}

/** What the reader can mend is said beside the controls, all else over the pictures. */
async function refuse(error: unknown): Promise<void> {
  if (studio) showState(studio);
  if (error instanceof DeviceLostError) return; // told where the loss is
  if (error instanceof DataError || error instanceof FieldError || error instanceof PushforwardError) return say(sentence(error.message));
  // What fails because the device went away is told there as well.
  const soon = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500));
  if (!(await Promise.race([gpu?.device.lost, soon]))) fail(error);
}

async function take(file: File): Promise<void> {
  const present = studio;
  if (!present) return;
  try {
    if (/\.safetensors$/i.test(file.name)) {
      const flow = await openFlow(present.gpu, file);
      return present.adopt(flow, file.name, chosenData());
    }
    say(`Reading ${file.name}.`);
    const data = tableData(file.name, await readTable(file));
    dropped = data;
    listData(FILE);
    present.learnFrom(data, chosenFlow());
  } catch (error) {
    void refuse(error);
  }
}

function runOrPause(): void {
  if (!studio) return;
  const { state, data } = studio;
  if (state === 'running') {
    studio.pause();
    say('Pausing after the steps that are on their way.');
  } else if (state === 'paused') {
    studio.resume();
    say('Training.');
  } else if (state === 'resting' && data) {
    studio.start(chosenTraining());
  }
  showState(studio);
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
    ? 'This is a software adapter: WebGPU runs on the processor here, and a step takes longer than on a GPU.'
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
    if (software && stepsInput.value === stepsInput.defaultValue) stepsInput.value = SOFTWARE_STEPS;
    const ids = ['density', 'data-points', 'sample-points'];
    const [density, data, samples] = ids.map((id) => (presentation === 'copied' ? freshCanvas(canvasOf(id)) : canvasOf(id)));
    const canvases: Canvases = { density: density!, data: data!, samples: samples! };
    const view = await View.create(own, canvases, presentation, software, look());
    const made: Studio = new Studio(own, view, {
      ready: () => {
        shown = true;
        showFlow(made, curve);
        repaint();
      },
      started: () => {
        say('Training: compiling the kernels first.');
        showState(made);
      },
      progress: (progress) => {
        if (progress.measuredAt === 0 || progress.step === 1) say('Training.');
        showProgress(made, curve, progress);
      },
      paused: (step) => say(`Paused at step ${integer(step)}. What is downloaded now is the flow as it stands.`),
      trained: (outcome) => showTrained(made, outcome),
      // What the studio before left behind is of no interest.
      failed: (error) => made === studio && void refuse(error),
    });
    studio = made;
    chart?.destroy();
    const curve = new Chart(element('chart'), made.curve);
    chart = curve;
    controlsSet.disabled = false;
    attempt(() => made.renew(chosenData(), chosenFlow()));
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
  if (target.closest('#columns')) {
    if (studio) showAxes(studio);
    repaint();
    return;
  }
  if (target === dataSelect) void learn();
  else attempt(() => studio?.renew(chosenData(), chosenFlow()));
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
fillFrom(new URLSearchParams(location.search));
void start();
