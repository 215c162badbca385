// A variational autoencoder made of two flows.

import { StandardNormal } from '../flows/bases/standard-normal.js';
import { check, checkCount, checkInteger, checkRows, randomSeed, resolveSeed } from '../flows/checks.js';
import type { BoundOptions } from '../flows/dequantization.js';
import { type Flow, type GpuFlow, ownFlow, type SampleOptions } from '../flows/flow.js';
import { logMeanWeights } from '../flows/log-mean.js';
import { derivedSeed } from '../flows/seeds.js';
import { recordInput, recordOutput } from '../flows/task.js';
import { UnsupportedError } from '../runtime/errors.js';
import { Recorder } from '../runtime/recorder.js';
import type { Residents } from '../runtime/residents.js';
import { elbo, type Pair, type PairLayers, recordBound } from './elbo.js';
import { divide, type FitOptions, resolveStops } from './fit-options.js';
import { type Model, modelOfAll } from './model.js';
import type { FitResult } from './run-fit.js';
import { train } from './train.js';
import { resolveTraining } from './training-options.js';

export interface VariationalParts {
  /** q(z | x): a flow over the L latents with x as its context; `iaf`, `realNVP` and `planar` draw in one pass. */
  readonly posterior: Flow;
  /** p(x | z): a flow over the D features with z as its context: `decoder`, or any other. */
  readonly decoder: Flow;
}

export type VariationalFitOptions = Omit<FitOptions, 'context' | 'validationContext' | 'levels' | 'initialise' | 'batchStatistics'>;

type Task = 'bound' | 'prior';

/** A variational autoencoder whose posterior is a flow. Made by `variational`; the two flows stay the caller's, and train in it. */
export class Variational {
  /** D. */
  readonly dim: number;
  /** L. */
  readonly latentDim: number;
  readonly #flows: Readonly<Record<Pair, GpuFlow>>;
  readonly #model: Model<PairLayers>;
  #tasks: Residents;

  constructor({ posterior, decoder }: VariationalParts) {
    const [q, p] = [ownFlow('variational: posterior', posterior), ownFlow('variational: decoder', decoder)];
    const [dim, latentDim] = [p.dim, q.dim];
    check(q.contextDim === dim, 'variational: posterior', `contextDim ${dim}, the features of the decoder`, q.contextDim);
    check(p.contextDim === latentDim, 'variational: decoder', `contextDim ${latentDim}, the latents of the posterior`, p.contextDim);
    check(q.parts.gpu === p.parts.gpu, 'variational: decoder', "a flow on the posterior's Gpu", 'a flow on another');
    if (q.parts.bijector.hosted || p.parts.bijector.hosted) throw new UnsupportedError('variational', 'a solve with error control');
    this.dim = dim;
    this.latentDim = latentDim;
    this.#flows = { posterior: q, decoder: p };
    this.#model = modelOfAll(this.#flows);
    this.#tasks = this.#newTasks();
  }

  /**
   * Trains both flows on x [n, D] by the evidence lower bound, one draw of z a row and step: `loss` is the mean of −bound, nats. Options as
   * in `fit`. The flows have the trained parameters when the promise resolves.
   *
   * @throws as `fit`.
   */
  async fit(x: Float32Array, options: VariationalFitOptions = {}): Promise<FitResult> {
    this.#tasks.assertAlive();
    const { train: rows, validation, count } = divide({ dim: this.dim, contextDim: 0 }, x, options);
    const batch = options.batch ?? Math.min(256, count);
    const step = resolveTraining('fit', this.#model, { ...options, batch, batchStatistics: false });
    options.signal?.throwIfAborted();
    const objective = elbo(rows, validation, { dim: this.dim, count, seed: step.seed });
    const old = this.#tasks;
    try {
      const {
        loss,
        history,
        validation: measured,
      } = await train(this.#model, { step, objective, ...resolveStops(options, step.steps) }, options);
      return { loss, history, validation: measured };
    } finally {
      this.#tasks = this.#newTasks();
      old.dispose();
    }
  }

  /**
   * Lower bound of log p(x) [n], nats, of x [n, D]. With S samples the importance-weighted one, log of the mean of S weights, which rises to
   * log p(x) with S. It is random by its draws; the same seed gives the same bits. Burda, Grosse, Salakhutdinov 2016, arXiv:1509.00519.
   */
  async bound(x: Float32Array, options: Omit<BoundOptions, 'context'> = {}): Promise<Float32Array> {
    this.#tasks.assertAlive();
    const rows = checkRows('bound: x', x, this.dim);
    const { samples = 1 } = options;
    checkInteger('bound: samples', samples, 1);
    const seed = resolveSeed('bound', options.seed, randomSeed);
    if (rows === 0) return new Float32Array(0);
    const inputs = { x: x.slice() };
    return logMeanWeights(rows, samples, async (index) => {
      const bound = new Float32Array(rows);
      const own = index === 0 ? seed : derivedSeed(seed, index);
      await this.#tasks.run('bound', 'bound', { rows, seed: own, contextStride: 1, inputs, outputs: { bound } });
      return bound;
    });
  }

  /** `count` draws of x [count, D]: z from the prior N(0, I), then x from the decoder. */
  async sample(count: number, options: Pick<SampleOptions, 'seed'> = {}): Promise<Float32Array> {
    this.#tasks.assertAlive();
    checkCount('sample', count);
    const seed = resolveSeed('sample', options.seed, randomSeed);
    const z = new Float32Array(count * this.latentDim);
    if (count > 0) await this.#tasks.run('prior', 'sample', { rows: count, seed, contextStride: 1, inputs: {}, outputs: { z } });
    // Noise of its own: the same numbers as z would bind x to it.
    return this.#flows.decoder.sample(count, { context: z, seed: derivedSeed(seed, 0) });
  }

  /** Frees what this object uploaded. The flows stay. Idempotent. */
  dispose(): void {
    this.#tasks.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #newTasks(): Residents {
    const { gpu } = this.#model;
    return gpu.residents('variational autoencoder', (task) => {
      const r = new Recorder(task);
      if ((task as Task) === 'bound') recordOutput(r, 'bound', recordBound(r, this.#model.layers, recordInput(r, 'x', this.dim)));
      else recordOutput(r, 'z', new StandardNormal(this.latentDim).sample(r));
      return r.finish();
    });
  }
}
