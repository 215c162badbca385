// The page: controls, the loop of batches, and what is said about them.

import { AdapterError, type Gpu, isSoftwareAdapter } from '../../src/index.js';
import { freshCanvas, type Presentation, rememberCopied, rememberedPresentation } from './canvas-window.js';
import { Captions } from './captions.js';
import { adapterName, colourOf, element, requestGpu, sentence, showNotice } from './furniture.js';
import { type Layout, sheetLayout, singleLayout } from './layout.js';
import { loadModel, MissingFileError, type Model, REAL_DIGITS, standardisedBy } from './model.js';
import { Rug } from './rug.js';
import { type Batch, type Colours, type Drawn, Sheet } from './sheet.js';
import { integer, milliseconds, nats, ordinal } from './text.js';

/** For a GPU, and for a software adapter, which takes seconds for as many. */
const LARGE_BATCHES = { hardware: 4096, software: 1024 };
const CALM_PERIOD = 1500;
const BLEND = 700;
const TIMINGS = 32;

const stage = element('stage');
const controls = element<HTMLFormElement>('controls');
const controlsSet = element<HTMLFieldSetElement>('controls-set');
const seedInput = element<HTMLInputElement>('seed');
const sortInput = element<HTMLInputElement>('sort');
const smoothInput = element<HTMLInputElement>('smooth');
const paceSelect = element<HTMLSelectElement>('pace');
const runButton = element<HTMLButtonElement>('run');
const largeButton = element<HTMLButtonElement>('large');
const status = element('status');
const notice = element('notice');
const canvases = { main: element<HTMLCanvasElement>('sheet'), detail: element<HTMLCanvasElement>('detail') };

const stillness = matchMedia('(prefers-reduced-motion: reduce)');

let sheet: Sheet | null = null;
let gpu: Gpu | null = null;
let drawn: Drawn | null = null;
let running = false;
/** The latest wish; wishes that a newer one overtakes before the GPU is free are dropped. */
let wanted: Batch | null = null;
let busy = false;
let timings: number[] = [];
let timedCount = 0;
let largeBatch = LARGE_BATCHES.hardware;

const captions = new Captions(element('captions'), (index) => select(index));
const rug = new Rug(element<SVGSVGElement>('rug'), REAL_DIGITS);

// --- What the controls say -----------------------------------------------------------------------------------------------------------

// Not by FormData, which leaves out the controls of a disabled fieldset: the page is laid out before they are enabled.
const count = (): number => Number(controls.querySelector<HTMLInputElement>('input[name=count]:checked')?.value);

/** null where the field holds no seed. */
function seed(): number | null {
  const value = Number(seedInput.value);
  return seedInput.value !== '' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function wish(): Batch | null {
  const chosen = seed();
  if (chosen === null) {
    say('A seed is a whole number from 0 to 9 007 199 254 740 991.');
    seedInput.setAttribute('aria-invalid', 'true');
    return null;
  }
  seedInput.removeAttribute('aria-invalid');
  return { count: count(), seed: chosen, sorted: sortInput.checked };
}

function say(sentence: string): void {
  status.textContent = sentence;
}

// --- Layout and colours --------------------------------------------------------------------------------------------------------------

function layouts(): { main: Layout; detail: Layout } {
  const scale = devicePixelRatio;
  return { main: sheetLayout(count(), stage.clientWidth, scale), detail: singleLayout(96, scale) };
}

/** The stage takes its height before anything is drawn, so that nothing jumps when it is. */
function place(): void {
  const { main, detail } = layouts();
  stage.style.height = `${main.height / main.scale}px`;
  const size = (canvas: HTMLCanvasElement, { width, height, scale }: Layout) => {
    canvas.style.width = `${width / scale}px`;
    canvas.style.height = `${height / scale}px`;
  };
  size(canvases.main, main);
  size(canvases.detail, detail);
  captions.place(count(), main);
  rug.resize(element('rug').clientWidth);
}

const colours = (): Colours => ({ paper: colourOf('--tile'), ink: colourOf('--ink') });

function repaint(): void {
  place();
  // Nothing to draw on while the page is hidden, nor while a batch of another size is on its way.
  if (!sheet || !drawn || drawn.count !== count() || stage.clientWidth === 0) return;
  sheet.colours = colours();
  sheet.smoothed = smoothInput.checked;
  sheet.paint(layouts());
}

// --- Batches -------------------------------------------------------------------------------------------------------------------------

/** Draws the latest wish, and the next one, until none is left. */
async function draw(batch: Batch | null): Promise<void> {
  wanted = batch;
  if (busy || !sheet) return;
  busy = true;
  const device = gpu?.device;
  try {
    while (wanted && sheet) {
      const next: Batch = wanted;
      wanted = null;
      const blend = running && paceSelect.value === 'calm' && !stillness.matches && sheet.canBlend(next.count);
      const result = await sheet.draw(next, layouts(), blend ? 0 : 1);
      show(result);
      if (blend) await blendIn();
    }
  } catch (error) {
    // What fails because the device went away is told, or mended, where the loss is.
    const soon = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500));
    if (!(await Promise.race([device?.lost, soon]))) {
      stop();
      fail(error);
    }
  } finally {
    busy = false;
  }
  if (wanted) await draw(wanted);
}

/** From the batch before to the present one, in the space that the flow lives in. */
async function blendIn(): Promise<void> {
  const start = performance.now();
  for (let share = 0; share < 1; ) {
    const now = await nextFrame();
    // Anything newer, a pause too, shows the batch at once.
    share = wanted || !running ? 1 : Math.min(1, Math.max(0, now - start) / BLEND);
    sheet?.paint(layouts(), share * share * (3 - 2 * share));
  }
}

const nextFrame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));

function show(result: Drawn): void {
  drawn = result;
  const { logProb } = result;
  captions.show(logProb);
  rug.show(logProb);
  select(captions.selected);
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const value of logProb) {
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
    sum += value;
  }
  element('mean').textContent = nats(sum / logProb.length);
  element('lowest').textContent = nats(lowest);
  element('highest').textContent = nats(highest);
  if (timedCount !== result.count) timings = [];
  timedCount = result.count;
  timings = [...timings, result.milliseconds].slice(-TIMINGS);
  const median = [...timings].sort((a, b) => a - b)[Math.floor(timings.length / 2)]!;
  element('batch-time').textContent = milliseconds(median);
  element('rate').textContent = integer(Number((result.count / (median / 1000)).toPrecision(3)));
  element('timings').textContent = timings.length === 1 ? 'one batch' : `the median of ${timings.length} batches`;
  if (!running) say(`${result.count} images from seed ${result.seed} in ${milliseconds(result.milliseconds)}.`);
}

function select(index: number): void {
  rug.select(index);
  const value = drawn?.logProb[index];
  if (value === undefined || !drawn) return;
  const rank = drawn.logProb.reduce((above, other) => above + (other > value ? 1 : 0), 1);
  element('detail-number').textContent = `Image ${index + 1}`;
  element('detail-value').textContent = nats(value);
  element('detail-rank').textContent = `${ordinal(rank)} of ${drawn.count} by density`;
  if (!sheet || sheet.selected === index) return;
  sheet.selected = index;
  if (drawn.count === count()) sheet.paint(layouts());
}

// --- Running on and on ---------------------------------------------------------------------------------------------------------------

async function run(): Promise<void> {
  running = true;
  runButton.textContent = 'Pause';
  say('Running: a new batch from the next seed, again and again.');
  while (running) {
    const started = performance.now();
    seedInput.value = String((seed() ?? 0) + 1);
    const batch = wish();
    if (!batch) break;
    await draw(batch);
    // Not more than three changes a second unless somebody asked for every frame: flicker harms.
    const calm = paceSelect.value === 'calm' || stillness.matches;
    do await nextFrame();
    while (running && calm && performance.now() - started < CALM_PERIOD);
  }
}

function stop(): void {
  if (!running) return;
  running = false;
  runButton.textContent = 'Run';
  say(`Paused at seed ${seedInput.value}.`);
}

// --- Start, and what can go wrong ----------------------------------------------------------------------------------------------------

function tell(heading: string, text: string, again = false): void {
  showNotice(notice, heading, text, again ? () => void start() : null);
  controlsSet.disabled = true;
  largeButton.disabled = true;
  say(heading);
}

function fail(error: unknown): void {
  const message = sentence(error instanceof Error ? error.message : String(error));
  if (error instanceof AdapterError) tell('No WebGPU here', message);
  else if (error instanceof MissingFileError) tell('The model is missing', message, true);
  else tell('Something went wrong', message, true);
  if (!(error instanceof AdapterError || error instanceof MissingFileError)) console.error(error);
}

function showAdapter(info: Partial<GPUAdapterInfo> | undefined, presentation: Presentation): void {
  element('adapter-name').textContent = adapterName(info);
  const software = info !== undefined && isSoftwareAdapter(info);
  element('adapter').classList.toggle('software', software);
  largeBatch = software ? LARGE_BATCHES.software : LARGE_BATCHES.hardware;
  largeButton.textContent = `Time ${integer(largeBatch)} images`;
  element('adapter-note').textContent = software
    ? 'This is a software adapter: WebGPU runs on the processor here, and the speeds on this page are those of the processor, not of a GPU.'
    : 'The speeds on this page are those of this GPU, as this tab gets it.';
  if (presentation === 'copied')
    element('adapter-note').append(' It cannot show a WebGPU canvas either, so that the picture is copied through a 2D canvas.');
}

function showModel({ facts, flow, parameters }: Model): void {
  const { num_layers, hidden_features, num_blocks_per_layer } = facts.constructor;
  element('model-library').textContent = `${facts.library.name} ${facts.library.version}`;
  element('model-class').textContent = facts.class.split('.').at(-1)!;
  element('model-layers').textContent =
    `${num_layers} autoregressive, ${num_blocks_per_layer} blocks of ${hidden_features} units each, a random permutation before each`;
  element('model-dim').textContent = `${flow.dim} (8 × 8 pixels)`;
  element('model-parameters').textContent = integer(parameters);
}

async function start(presentation = rememberedPresentation()): Promise<void> {
  notice.hidden = true;
  say('Loading the model.');
  const former = gpu;
  gpu = null;
  sheet = null;
  drawn = null;
  former?.dispose();
  try {
    const own = await requestGpu(presentation === 'copied' ? 10 : 1);
    gpu = own;
    own.device.addEventListener('uncapturederror', (event) => console.error(event.error.message));
    void own.device.lost.then(({ message }) => {
      // A new start disposes of the former device; only the loss of the present one is worth a word. The reason does not tell them
      // apart: Chromium says `destroyed` of a device that it dropped itself.
      if (own !== gpu) return;
      sheet = null;
      stop();
      if (presentation === 'direct' && !drawn) {
        rememberCopied();
        void start('copied');
        return;
      }
      tell(
        'The GPU went away',
        `The browser lost its device${message ? ` (${message})` : ''}. Nothing on this page is lost with it.`,
        true,
      );
    });
    showAdapter(own.device.adapterInfo, presentation);
    if (presentation === 'copied') {
      canvases.main = freshCanvas(canvases.main);
      canvases.detail = freshCanvas(canvases.detail);
    }
    const model = await loadModel(own);
    showModel(model);
    const made = await Sheet.create(own, model.flow, standardisedBy, canvases, presentation);
    made.colours = colours();
    made.smoothed = smoothInput.checked;
    made.selected = captions.selected;
    sheet = made;
    controlsSet.disabled = false;
    largeButton.disabled = false;
    await draw(wish());
  } catch (error) {
    fail(error);
  }
}

controls.addEventListener('submit', (event) => {
  event.preventDefault();
  void draw(wish());
});
element('new-seed').addEventListener('click', () => {
  seedInput.value = String(Math.floor(Math.random() * 1e6));
  void draw(wish());
});
controls.addEventListener('change', (event) => {
  if (event.target === seedInput || event.target === paceSelect) return;
  if (event.target === smoothInput) return repaint();
  place();
  void draw(wish());
});
runButton.addEventListener('click', () => {
  if (running) stop();
  else void run();
});
largeButton.addEventListener('click', async () => {
  if (!sheet) return;
  stop();
  largeButton.disabled = true;
  const result = element('large-result');
  result.textContent = 'Timing…';
  try {
    const time = await sheet.timeLargeBatch(largeBatch);
    const rate = integer(Number((largeBatch / (time / 1000)).toPrecision(3)));
    result.textContent = `${integer(largeBatch)} images in ${milliseconds(time)}: ${rate} a second, best of three.`;
  } catch (error) {
    result.textContent = '';
    fail(error);
  }
  largeButton.disabled = sheet === null;
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
new ResizeObserver(repaint).observe(stage);
place();
void start();
