// The three pictures: the density on a grid, rows of the data, samples of the flow. What the flow writes is drawn from where it lies.

import type { Flow, Gpu } from '../../../src/index.js';
import { type CanvasWindow, openWindow, type Presentation, targetFormat } from '../canvas-window.js';
import densitySource from './density.wgsl?raw';
import levelSource from './level.wgsl?raw';
import pointsSource from './points.wgsl?raw';

/** What the pictures are of. */
export interface Scene {
  readonly dim: number;
  /** Rows of the data, where there are some. */
  readonly data: Float32Array<ArrayBuffer> | null;
  readonly ranges: readonly (readonly [low: number, high: number])[];
}

export interface Look {
  readonly paper: readonly number[];
  readonly ink: readonly number[];
  readonly quiet: readonly number[];
  readonly logarithmic: boolean;
  /** Columns. */
  readonly across: number;
  readonly up: number;
}

export interface Canvases {
  readonly density: HTMLCanvasElement;
  readonly data: HTMLCanvasElement;
  readonly samples: HTMLCanvasElement;
}

/** Cells along a side of the grid: while a flow trains, and at rest. */
const SIDES = { hardware: { quick: 128, fine: 256 }, software: { quick: 56, fine: 128 } };
const MOST_POINTS = 2000;
const SAMPLE_SEED = 11;
/** Of one of many points, in CSS pixels; fewer are larger. */
const RADIUS = 1.6;
const LARGEST_RADIUS = 2.6;
const ALPHA = 0.55;

interface Grid {
  readonly side: number;
  readonly points: GPUBuffer;
  readonly logProb: GPUBuffer;
}

interface Pipelines {
  readonly density: GPURenderPipeline;
  readonly points: GPURenderPipeline;
  readonly level: GPUComputePipeline;
}

export class View {
  readonly #gpu: Gpu;
  readonly #pipelines: Pipelines;
  readonly #windows: Readonly<Record<keyof Canvases, CanvasWindow>>;
  readonly #uniforms: Readonly<Record<keyof Canvases, GPUBuffer>>;
  readonly #level: GPUBuffer;
  readonly #sides: { readonly quick: number; readonly fine: number };
  #look: Look;
  #scene: Scene | null = null;
  #pointCount = 0;
  #data: GPUBuffer | null = null;
  #samples: GPUBuffer | null = null;
  #grids: Partial<Record<'quick' | 'fine', Grid>> = {};
  /** The grid whose log-densities are the latest. */
  #drawn: Grid | null = null;
  #hasSamples = false;

  static async create(gpu: Gpu, canvases: Canvases, presentation: Presentation, software: boolean, look: Look): Promise<View> {
    const { device } = gpu;
    const module = (label: string, code: string) => device.createShaderModule({ label, code });
    const format = targetFormat(presentation);
    const over: GPUBlendComponent = { srcFactor: 'one', dstFactor: 'one-minus-src-alpha' };
    const render = (label: string, code: string, blend?: GPUBlendState) => {
      const own = module(label, code);
      return device.createRenderPipelineAsync({
        label,
        layout: 'auto',
        vertex: { module: own, entryPoint: 'corner' },
        fragment: { module: own, entryPoint: 'shade', targets: [{ format, ...(blend && { blend }) }] },
        primitive: { topology: 'triangle-strip' },
      });
    };
    const [density, points, level] = await Promise.all([
      render('density', densitySource),
      render('points', pointsSource, { color: over, alpha: over }),
      device.createComputePipelineAsync({
        label: 'level',
        layout: 'auto',
        compute: { module: module('level', levelSource), entryPoint: 'measure' },
      }),
    ]);
    return new View(gpu, { density, points, level }, canvases, presentation, software, look);
  }

  private constructor(gpu: Gpu, pipelines: Pipelines, canvases: Canvases, presentation: Presentation, software: boolean, look: Look) {
    this.#gpu = gpu;
    this.#pipelines = pipelines;
    this.#look = look;
    this.#sides = SIDES[software ? 'software' : 'hardware'];
    const { UNIFORM, COPY_DST, STORAGE } = GPUBufferUsage;
    const open = (canvas: HTMLCanvasElement) => openWindow(presentation, gpu.device, canvas);
    this.#windows = { density: open(canvases.density), data: open(canvases.data), samples: open(canvases.samples) };
    const uniforms = (label: string) => gpu.device.createBuffer({ label, size: 64, usage: UNIFORM | COPY_DST });
    this.#uniforms = { density: uniforms('density'), data: uniforms('data'), samples: uniforms('samples') };
    this.#level = gpu.device.createBuffer({ label: 'level', size: 16, usage: STORAGE });
  }

  /** Other data, or a flow of other columns: what was drawn of the former is gone. null for nothing. */
  set scene(scene: Scene | null) {
    this.#scene = scene;
    for (const buffer of [this.#data, this.#samples, ...Object.values(this.#grids).flatMap((grid) => [grid.points, grid.logProb])])
      buffer?.destroy();
    this.#grids = {};
    this.#drawn = null;
    this.#hasSamples = false;
    this.#data = null;
    this.#samples = null;
    if (!scene) return;
    const { dim, data } = scene;
    this.#pointCount = data ? Math.min(MOST_POINTS, data.length / dim) : MOST_POINTS;
    const { STORAGE, COPY_DST } = GPUBufferUsage;
    const size = this.#pointCount * dim * 4;
    this.#samples = this.#gpu.device.createBuffer({ label: 'samples', size, usage: STORAGE });
    if (!data) return;
    this.#data = this.#gpu.device.createBuffer({ label: 'data', size, usage: STORAGE | COPY_DST });
    this.#gpu.device.queue.writeBuffer(this.#data, 0, data.subarray(0, this.#pointCount * dim));
  }

  /** Rows that the flow has to be prepared for. */
  get rows(): number {
    return Math.max(this.#pointCount, this.#scene?.dim === 2 ? this.#sides.quick ** 2 : 0);
  }

  get pointCount(): number {
    return this.#pointCount;
  }

  /** Draws the flow with the parameters that it has, and waits until it is drawn. */
  async refresh(flow: Flow, quality: 'quick' | 'fine'): Promise<void> {
    if (!this.#scene) return;
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder({ label: 'pictures' });
    flow.encodeSample(encoder, { count: this.#pointCount, seed: SAMPLE_SEED, into: this.#samples! });
    this.#hasSamples = true;
    if (this.#scene.dim === 2) {
      const grid = this.#grid(quality);
      flow.encodeLogProb(encoder, grid.points, { count: grid.side ** 2, into: grid.logProb });
      this.#encodeLevel(encoder, grid);
      this.#drawn = grid;
    }
    await this.#submit(encoder);
    await device.queue.onSubmittedWorkDone();
  }

  /** Draws what lies there once more: after a resize, or another look. */
  async paint(look = this.#look): Promise<void> {
    this.#look = look;
    await this.#submit(this.#gpu.device.createCommandEncoder({ label: 'pictures' }));
  }

  async #submit(encoder: GPUCommandEncoder): Promise<void> {
    const { density, data, samples } = this.#windows;
    const { ink, quiet } = this.#look;
    const shown: CanvasWindow[] = [];
    if (this.#fit(density)) {
      this.#encodeDensity(encoder, this.#drawn);
      shown.push(density);
    }
    if (this.#fit(data)) {
      this.#encodePoints(encoder, 'data', this.#data, quiet);
      shown.push(data);
    }
    if (this.#fit(samples)) {
      this.#encodePoints(encoder, 'samples', this.#hasSamples ? this.#samples : null, ink);
      shown.push(samples);
    }
    for (const window of shown) window.encodeCopy(encoder);
    this.#gpu.device.queue.submit([encoder.finish()]);
    await Promise.all(shown.map((window) => window.show()));
  }

  /** Gives the canvas the size that it has on the page; false where it is not to be seen. */
  #fit({ canvas }: CanvasWindow): boolean {
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (size === 0) return false;
    if (canvas.width !== size) canvas.width = size;
    if (canvas.height !== size) canvas.height = size;
    return true;
  }

  #grid(quality: 'quick' | 'fine'): Grid {
    const known = this.#grids[quality];
    if (known) return known;
    const side = this.#sides[quality];
    const [[left, right], [bottom, top]] = this.#scene!.ranges as [readonly [number, number], readonly [number, number]];
    const places = new Float32Array(2 * side * side);
    for (let i = 0; i < side * side; i++) {
      places[2 * i] = left + ((right - left) * ((i % side) + 0.5)) / side;
      places[2 * i + 1] = top - ((top - bottom) * (Math.floor(i / side) + 0.5)) / side;
    }
    const { STORAGE, COPY_DST } = GPUBufferUsage;
    const points = this.#gpu.device.createBuffer({ label: 'grid', size: places.byteLength, usage: STORAGE | COPY_DST });
    this.#gpu.device.queue.writeBuffer(points, 0, places);
    const logProb = this.#gpu.device.createBuffer({ label: 'log-densities', size: side * side * 4, usage: STORAGE });
    const grid = { side, points, logProb };
    this.#grids[quality] = grid;
    return grid;
  }

  #encodeLevel(encoder: GPUCommandEncoder, { logProb }: Grid): void {
    const { level } = this.#pipelines;
    const pass = encoder.beginComputePass({ label: 'level' });
    pass.setPipeline(level);
    pass.setBindGroup(0, this.#group(level, [logProb, this.#level]));
    pass.dispatchWorkgroups(1);
    pass.end();
  }

  #encodeDensity(encoder: GPUCommandEncoder, grid: Grid | null): void {
    const pass = this.#begin(encoder, this.#windows.density);
    if (grid) {
      const { paper, ink, logarithmic } = this.#look;
      const view = new ArrayBuffer(48);
      new Float32Array(view, 0, 8).set([...paper, 1, ...ink, 1]);
      new Uint32Array(view, 32).set([grid.side, logarithmic ? 1 : 0]);
      this.#gpu.device.queue.writeBuffer(this.#uniforms.density, 0, view);
      pass.setPipeline(this.#pipelines.density);
      pass.setBindGroup(0, this.#group(this.#pipelines.density, [this.#uniforms.density, grid.logProb, this.#level]));
      pass.draw(4);
    }
    pass.end();
  }

  #encodePoints(encoder: GPUCommandEncoder, name: 'data' | 'samples', rows: GPUBuffer | null, ink: readonly number[]): void {
    const pass = this.#begin(encoder, this.#windows[name]);
    if (rows) {
      const { dim, ranges } = this.#scene!;
      const { across, up } = this.#look;
      const [x, y] = [ranges[across]!, ranges[up] ?? [0, 1]];
      const size = Math.min(LARGEST_RADIUS, RADIUS * (MOST_POINTS / this.#pointCount) ** 0.25);
      const radius = (2 * size) / this.#windows[name].canvas.clientWidth;
      const view = new ArrayBuffer(64);
      new Float32Array(view, 0, 10).set([...ink, ALPHA, x[0], y[0], x[1], y[1], radius, radius]);
      new Uint32Array(view, 40).set([dim, across, up]);
      this.#gpu.device.queue.writeBuffer(this.#uniforms[name], 0, view);
      pass.setPipeline(this.#pipelines.points);
      pass.setBindGroup(0, this.#group(this.#pipelines.points, [this.#uniforms[name], rows]));
      pass.draw(4, this.#pointCount);
    }
    pass.end();
  }

  #begin(encoder: GPUCommandEncoder, window: CanvasWindow): GPURenderPassEncoder {
    const clearValue = [...this.#look.paper, 1];
    return encoder.beginRenderPass({
      label: 'picture',
      colorAttachments: [{ view: window.target().createView(), loadOp: 'clear', storeOp: 'store', clearValue }],
    });
  }

  #group(pipeline: GPURenderPipeline | GPUComputePipeline, buffers: readonly GPUBuffer[]): GPUBindGroup {
    return this.#gpu.device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
  }
}
