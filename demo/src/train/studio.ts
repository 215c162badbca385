// One flow at a time, its data, its training and its pictures. Wishes that a newer one overtakes are dropped.

import type { Flow, Gpu } from '../../../src/index.js';
import { Curve } from './curve.js';
import { type DataSet, rangesOf } from './data.js';
import { type FlowChoice, makeFlow } from './flows.js';
import { type Progress, Run, type RunSettings } from './run.js';
import type { View } from './view.js';

export interface Outcome {
  readonly steps: number;
  readonly loss: number;
  /** The step whose parameters the flow has, the best on rows that training never saw; null where there are none. */
  readonly best: number | null;
}

export interface StudioHooks {
  /** Another flow, or other data: named, drawn and ready. */
  readonly ready: () => void;
  readonly started: () => void;
  readonly progress: (progress: Progress) => void;
  readonly paused: (step: number) => void;
  readonly trained: (outcome: Outcome) => void;
  /** A flow could not be made, or training failed; the studio goes on. */
  readonly failed: (error: unknown) => void;
}

/** Draws that show where a flow without data lies. */
const LOOK = 1000;

export class Studio {
  readonly gpu: Gpu;
  readonly view: View;
  readonly curve = new Curve();
  readonly #hooks: StudioHooks;
  #flow: Flow | null = null;
  #data: DataSet | null = null;
  #openedFrom: string | null = null;
  #parameters = 0;
  #run: Run | null = null;
  /** Until what comes after a run is drawn and told. */
  #attended: Promise<void> = Promise.resolve();
  #runs = 0;
  #wish = 0;
  #turns: Promise<unknown> = Promise.resolve();

  constructor(gpu: Gpu, view: View, hooks: StudioHooks) {
    this.gpu = gpu;
    this.view = view;
    this.#hooks = hooks;
  }

  get flow(): Flow | null {
    return this.#flow;
  }

  /** null beside a flow from a file that has another number of columns. */
  get data(): DataSet | null {
    return this.#data;
  }

  get openedFrom(): string | null {
    return this.#openedFrom;
  }

  get parameters(): number {
    return this.#parameters;
  }

  get columns(): readonly string[] {
    return this.#data?.columns ?? Array.from({ length: this.#flow?.dim ?? 0 }, (_, i) => `column ${i + 1}`);
  }

  get state(): 'empty' | 'resting' | 'running' | 'paused' {
    if (this.#run) return this.#run.isPaused ? 'paused' : 'running';
    return this.#flow ? 'resting' : 'empty';
  }

  /** Whether the flow has been trained here. */
  get isTrained(): boolean {
    return this.#runs > 0;
  }

  /** A fresh flow for the data; a flow from a file stays if it has as many columns. */
  learnFrom(data: DataSet, choice: FlowChoice): void {
    this.#turn(async () => {
      if (this.#openedFrom !== null && this.#flow?.dim === data.columns.length) return this.#show(this.#flow, data);
      await this.#make(data, choice);
    });
  }

  /** A fresh flow, whatever was there. */
  renew(data: DataSet, choice: FlowChoice): void {
    this.#turn(() => this.#make(data, choice));
  }

  /** A flow from a file, beside the data if it has as many columns. */
  adopt(flow: Flow, name: string, data: DataSet): void {
    this.#turn(async () => {
      await this.#show(flow, data.columns.length === flow.dim ? data : null);
      this.#openedFrom = name;
    });
  }

  /** Trains the flow, after a flow that is on its way if there is one. The batch is all rows where there are fewer. */
  start(settings: RunSettings): void {
    const own = this.#wish;
    this.#turns = this.#turns.then(() => {
      if (own === this.#wish) this.#begin(settings);
    });
  }

  #begin(wanted: RunSettings): void {
    const [flow, data] = [this.#flow, this.#data];
    if (!flow || !data || this.#run) return;
    const settings = { ...wanted, batch: Math.min(wanted.batch, data.train.length / flow.dim) };
    this.curve.goOn();
    const run = new Run(flow, data, settings, this.#runs++, {
      progress: (progress) => {
        const { step, loss, validationLoss, measuredAt } = progress;
        this.curve.add(step, loss);
        if (measuredAt !== null) this.curve.addValidation(measuredAt, validationLoss!);
        this.#hooks.progress(progress);
      },
      refresh: () => this.view.refresh(flow, 'quick'),
      paused: async (step) => {
        await this.view.refresh(flow, 'fine');
        this.#hooks.paused(step);
      },
    });
    this.#run = run;
    this.#attended = this.#attend(run, flow, settings);
    this.#hooks.started();
  }

  async #attend(run: Run, flow: Flow, { steps }: RunSettings): Promise<void> {
    try {
      const result = await run.ended;
      if (!result) return;
      await this.view.refresh(flow, 'fine');
      if (this.#run === run) this.#run = null;
      const { loss, validation } = result;
      const best = validation.find((measured) => measured.loss === loss)?.step ?? null;
      this.#hooks.trained({ steps, loss, best });
    } catch (error) {
      if (this.#run === run) this.#run = null;
      this.#hooks.failed(error);
      // The last good parameters. Where that fails too, it has been told why.
      await this.view.refresh(flow, 'fine').catch(() => {});
    }
  }

  pause(): void {
    this.#run?.pause();
  }

  resume(): void {
    this.#run?.resume();
  }

  /** As `flow.save` writes it, with the parameters that are drawn. */
  async save(): Promise<Uint8Array> {
    return this.#flow!.save();
  }

  async stop(): Promise<void> {
    const run = this.#run;
    await run?.stop();
    await this.#attended;
    if (this.#run === run) this.#run = null;
  }

  /** One wish after another, the latest alone where several wait. Training stops at once. */
  #turn(task: () => Promise<void>): void {
    const own = ++this.#wish;
    const stopped = this.stop();
    this.#turns = this.#turns.then(async () => {
      await stopped;
      if (own !== this.#wish) return;
      try {
        await task();
        this.#hooks.ready();
      } catch (error) {
        this.#hooks.failed(error);
      }
    });
  }

  async #make(data: DataSet, choice: FlowChoice): Promise<void> {
    this.#openedFrom = null;
    try {
      await this.#show(await makeFlow(this.gpu, choice, data), data);
    } catch (error) {
      // Nothing is left that does not fit what was chosen.
      this.#flow?.dispose();
      this.#flow = null;
      this.#data = null;
      this.view.scene = null;
      await this.view.paint().catch(() => {});
      throw error;
    }
  }

  async #show(flow: Flow, data: DataSet | null): Promise<void> {
    if (this.#flow !== flow) this.#flow?.dispose();
    this.#flow = flow;
    this.#data = data;
    this.#runs = 0;
    this.curve.clear();
    const parameters = Object.values(await flow.parameters());
    this.#parameters = parameters.reduce((sum, { data: numbers }) => sum + numbers.length, 0);
    const ranges = data?.ranges ?? rangesOf(await flow.sample(LOOK, { seed: 1 }), flow.dim);
    this.view.scene = { dim: flow.dim, data: data?.train ?? null, ranges };
    this.ranges = ranges;
    await flow.prepare({ count: this.view.rows });
    await this.view.refresh(flow, 'fine');
  }

  /** What the pictures show of each column. */
  ranges: DataSet['ranges'] = [];
}
