// Samples, log-densities, order and picture in one submission. Pixels never leave the GPU; log-densities come back for the captions.

import type { Flow, Gpu } from '../../src/index.js';
import { type CanvasWindow, openWindow, type Presentation, targetFormat } from './canvas-window.js';
import type { Layout } from './layout.js';
import orderSource from './order.wgsl?raw';
import sheetSource from './sheet.wgsl?raw';

export interface Batch {
  readonly count: number;
  readonly seed: number;
  readonly sorted: boolean;
}

export interface Drawn extends Batch {
  /** In the order of the cells. */
  readonly logProb: Float32Array;
  /** From before the encoding of the batch until its log-densities were on the CPU. */
  readonly milliseconds: number;
}

export interface Colours {
  readonly paper: readonly number[];
  readonly ink: readonly number[];
}

const MAX_COUNT = 256;
const VIEW_BYTES = 80;

/** One batch of the present and one of the past, to blend from. */
interface Slot {
  readonly samples: GPUBuffer;
  readonly logProb: GPUBuffer;
  readonly order: GPUBuffer;
  count: number;
}

/** A canvas of the sheet: where its images lie, and what its shader reads. */
interface Pane {
  readonly window: CanvasWindow;
  readonly uniforms: GPUBuffer;
  readonly groups: Map<Slot, GPUBindGroup>;
  layout: Layout | null;
}

export class Sheet {
  readonly #gpu: Gpu;
  readonly #flow: Flow;
  readonly #drawing: GPURenderPipeline;
  readonly #arranging: GPUComputePipeline;
  readonly #standardisedBy: GPUBuffer;
  readonly #call: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #main: Pane;
  readonly #detail: Pane;
  #present: Slot;
  #before: Slot;
  #blend = 1;
  /** Cell in the small canvas. */
  selected = 0;
  smoothed = false;
  colours: Colours = { paper: [1, 1, 1], ink: [0, 0, 0] };

  /** Compiles everything, so that no batch is timed with a compilation in it. */
  static async create(
    gpu: Gpu,
    flow: Flow,
    standardisedBy: Float32Array,
    canvases: { main: HTMLCanvasElement; detail: HTMLCanvasElement },
    presentation: Presentation,
  ): Promise<Sheet> {
    const { device } = gpu;
    const draw = device.createShaderModule({ label: 'sheet', code: sheetSource });
    const [drawing, arranging] = await Promise.all([
      device.createRenderPipelineAsync({
        label: 'sheet',
        layout: 'auto',
        vertex: { module: draw, entryPoint: 'corner' },
        fragment: { module: draw, entryPoint: 'shade', targets: [{ format: targetFormat(presentation) }] },
        primitive: { topology: 'triangle-strip' },
      }),
      device.createComputePipelineAsync({
        label: 'order',
        layout: 'auto',
        compute: { module: device.createShaderModule({ label: 'order', code: orderSource }), entryPoint: 'arrange' },
      }),
      flow.prepare({ count: MAX_COUNT }),
    ]);
    return new Sheet(gpu, flow, standardisedBy, drawing, arranging, canvases, presentation);
  }

  private constructor(
    gpu: Gpu,
    flow: Flow,
    standardisedBy: Float32Array,
    drawing: GPURenderPipeline,
    arranging: GPUComputePipeline,
    canvases: { main: HTMLCanvasElement; detail: HTMLCanvasElement },
    presentation: Presentation,
  ) {
    const { device } = gpu;
    this.#gpu = gpu;
    this.#flow = flow;
    this.#drawing = drawing;
    this.#arranging = arranging;
    const { STORAGE, COPY_SRC, COPY_DST, UNIFORM, MAP_READ } = GPUBufferUsage;
    const buffer = (label: string, size: number, usage: number) => device.createBuffer({ label, size, usage });
    this.#standardisedBy = buffer('standardised by', standardisedBy.byteLength, STORAGE | COPY_DST);
    device.queue.writeBuffer(this.#standardisedBy, 0, standardisedBy as Float32Array<ArrayBuffer>);
    this.#call = buffer('order', 8, UNIFORM | COPY_DST);
    this.#staging = buffer('log-densities for the captions', MAX_COUNT * 4, MAP_READ | COPY_DST);
    const slot = (): Slot => ({
      samples: buffer('samples', MAX_COUNT * flow.dim * 4, STORAGE),
      logProb: buffer('log-densities', MAX_COUNT * 4, STORAGE | COPY_SRC),
      order: buffer('order', MAX_COUNT * 4, STORAGE),
      count: 0,
    });
    this.#present = slot();
    this.#before = slot();
    const pane = (canvas: HTMLCanvasElement): Pane => ({
      window: openWindow(presentation, device, canvas),
      uniforms: buffer('view', VIEW_BYTES, UNIFORM | COPY_DST),
      groups: new Map(),
      layout: null,
    });
    this.#main = pane(canvases.main);
    this.#detail = pane(canvases.detail);
  }

  /** Whether the next batch of `count` images can be blended into: the same number of images lies there. */
  canBlend(count: number): boolean {
    return this.#present.count === count;
  }

  /**
   * Samples, measures, arranges and draws a batch in one submission.
   *
   * @param blend 1 shows the new batch at once; 0 leaves the one before on the canvas, for `paint` to blend from
   */
  async draw(batch: Batch, layouts: { main: Layout; detail: Layout }, blend: 0 | 1): Promise<Drawn> {
    const { count, seed, sorted } = batch;
    const { device } = this.#gpu;
    const start = performance.now();
    [this.#before, this.#present] = [this.#present, this.#before];
    const { samples, logProb, order } = this.#present;
    this.#present.count = count;
    const encoder = device.createCommandEncoder({ label: 'batch' });
    this.#flow.encodeSample(encoder, { count, seed, into: samples });
    this.#flow.encodeLogProb(encoder, samples, { count, into: logProb });
    this.#encodeOrder(encoder, count, sorted, logProb, order);
    encoder.copyBufferToBuffer(logProb, 0, this.#staging, 0, count * 4);
    this.#blend = blend;
    this.#setLayouts(layouts);
    this.#encodePictures(encoder);
    device.queue.submit([encoder.finish()]);
    const shown = this.#show();
    await this.#staging.mapAsync(GPUMapMode.READ, 0, count * 4);
    const inDrawOrder = new Float32Array(this.#staging.getMappedRange(0, count * 4).slice(0));
    this.#staging.unmap();
    const milliseconds = performance.now() - start;
    await shown;
    // Stable, hence the same order as on the GPU.
    return { ...batch, logProb: sorted ? inDrawOrder.sort((a, b) => b - a) : inDrawOrder, milliseconds };
  }

  /** Draws what is in the buffers once more: after a resize, a change of colours or selection, or a step of a blend. */
  paint(layouts: { main: Layout; detail: Layout }, blend = this.#blend): void {
    if (this.#present.count === 0) return;
    this.#blend = blend;
    this.#setLayouts(layouts);
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'picture' });
    this.#encodePictures(encoder);
    this.#gpu.device.queue.submit([encoder.finish()]);
    // A lost device is announced elsewhere.
    this.#show().catch(() => {});
  }

  /** Milliseconds for `count` samples in one submission, nothing else: best of three after one that warms up. */
  async timeLargeBatch(count: number): Promise<number> {
    const { device } = this.#gpu;
    await this.#flow.prepare({ count });
    const into = device.createBuffer({ label: 'large batch', size: count * this.#flow.dim * 4, usage: GPUBufferUsage.STORAGE });
    let best = Number.POSITIVE_INFINITY;
    for (let repeat = 0; repeat < 4; repeat++) {
      const start = performance.now();
      const encoder = device.createCommandEncoder({ label: 'large batch' });
      this.#flow.encodeSample(encoder, { count, seed: repeat, into });
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      if (repeat > 0) best = Math.min(best, performance.now() - start);
    }
    into.destroy();
    return best;
  }

  #encodeOrder(encoder: GPUCommandEncoder, count: number, sorted: boolean, logProb: GPUBuffer, order: GPUBuffer): void {
    const { device } = this.#gpu;
    device.queue.writeBuffer(this.#call, 0, new Uint32Array([count, sorted ? 1 : 0]));
    const group = device.createBindGroup({
      layout: this.#arranging.getBindGroupLayout(0),
      entries: [this.#call, logProb, order].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const pass = encoder.beginComputePass({ label: 'order' });
    pass.setPipeline(this.#arranging);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(count / 64));
    pass.end();
  }

  #setLayouts({ main, detail }: { main: Layout; detail: Layout }): void {
    this.#main.layout = main;
    this.#detail.layout = detail;
  }

  async #show(): Promise<void> {
    await Promise.all([this.#main.window.show(), this.#detail.window.show()]);
  }

  #encodePictures(encoder: GPUCommandEncoder): void {
    this.#encodePicture(encoder, this.#main, 0, this.#present.count);
    this.#encodePicture(encoder, this.#detail, Math.min(this.selected, this.#present.count - 1), 1);
  }

  #encodePicture(encoder: GPUCommandEncoder, pane: Pane, first: number, count: number): void {
    const { window, uniforms, layout } = pane;
    if (!layout) return;
    const { canvas } = window;
    if (canvas.width !== layout.width) canvas.width = layout.width;
    if (canvas.height !== layout.height) canvas.height = layout.height;
    // Whatever lies in the slot of the batch before, it is of no use where the number of images changed.
    const blend = this.#before.count === this.#present.count ? this.#blend : 1;
    const view = new ArrayBuffer(VIEW_BYTES);
    new Float32Array(view, 0, 14).set([
      ...[...this.colours.paper, 1],
      ...[...this.colours.ink, 1],
      ...[layout.width, layout.height],
      ...layout.pitch,
      layout.image,
      blend,
    ]);
    new Uint32Array(view, 56).set([layout.columns, first]);
    new Float32Array(view, 64).set([this.smoothed ? 1 : 0]);
    this.#gpu.device.queue.writeBuffer(uniforms, 0, view);
    const pass = encoder.beginRenderPass({
      label: 'picture',
      colorAttachments: [{ view: window.target().createView(), loadOp: 'clear', storeOp: 'store', clearValue: [0, 0, 0, 0] }],
    });
    pass.setPipeline(this.#drawing);
    pass.setBindGroup(0, this.#group(pane));
    pass.draw(4, count);
    pass.end();
    window.encodeCopy(encoder);
  }

  #group({ uniforms, groups }: Pane): GPUBindGroup {
    let group = groups.get(this.#present);
    if (!group) {
      const { samples, order } = this.#present;
      const buffers = [uniforms, this.#standardisedBy, this.#before.samples, this.#before.order, samples, order];
      group = this.#gpu.device.createBindGroup({
        layout: this.#drawing.getBindGroupLayout(0),
        entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
      });
      groups.set(this.#present, group);
    }
    return group;
  }
}
