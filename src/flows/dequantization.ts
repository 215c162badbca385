// Integer data under a continuous flow: noise u in (0, 1)^D makes (k + u) / levels of an integer k, and the flow's density there bounds the
// log-probability of k from below.
//
//   log P(k) ≥ E over u ~ q(u | k) of  log p((k + u) / levels) − D log levels − log q(u | k)
//
// q is uniform (Theis, van den Oord, Bethge 2016, arXiv:1511.01844) or a conditional flow behind a sigmoid (Ho et al. 2019,
// arXiv:1902.00275). With several samples the mean is taken inside the logarithm, which tightens the bound (Burda, Grosse, Salakhutdinov
// 2016, arXiv:1509.00519). Both flows are one recorded program; nothing comes back to the host in between.

import { dequantization } from '../kernels/dequantize.js';
import type { Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import type { Residents } from '../runtime/residents.js';
import type { TiledTensor } from '../runtime/tensor.js';
import { BoxUniform } from './bases/box-uniform.js';
import { recordJoin } from './bijectors/chain.js';
import { DiagonalAffine } from './bijectors/diagonal-affine.js';
import { Logit } from './bijectors/logit.js';
import { allocate, check, checkContext, checkCount, checkInteger, checkIntegers, checkRows, randomSeed, resolveSeed } from './checks.js';
import { packLinear, recordLinear } from './conditioner/packing.js';
import { type Flow, type GpuFlow, ownFlow, type SampleOptions } from './flow.js';
import { logMeanWeights } from './log-mean.js';
import { hasHalves } from './save-options.js';
import { derivedSeed } from './seeds.js';
import { recordContext, recordInput, recordOutput, startLogDet } from './task.js';

export interface DequantizeOptions {
  /** Density of the data scaled to (0, 1)^D. It stays the caller's. */
  readonly flow: Flow;
  /** Integers are 0 … levels − 1; 2 to 65536. */
  readonly levels: number;
  /**
   * Flow of the noise before its sigmoid, over R^D: the same D, conditioned on the integers scaled to (−1, 1), and on the context of
   * `flow` after them where it has one. Default: uniform noise.
   */
  readonly noise?: Flow;
}

export interface BoundOptions extends SampleOptions {
  /** Noise draws a row, S: the bound is log of the mean of S weights. Default 1. */
  readonly samples?: number;
}

type Task = 'logProb' | 'sample';

/** A flow over integer vectors. Made by `dequantize`. */
export class Dequantized {
  /** D. */
  readonly dim: number;
  /** C of the flow. */
  readonly contextDim: number;
  readonly levels: number;
  readonly #flow: GpuFlow['parts'];
  readonly #noise: (GpuFlow['parts'] & { readonly withContext: boolean }) | null;
  readonly #tasks: Residents;

  constructor({ flow, levels, noise }: DequantizeOptions) {
    this.#flow = ownFlow('dequantize: flow', flow).parts;
    checkInteger('dequantize: levels', levels, 2, 65536);
    this.dim = flow.dim;
    this.contextDim = flow.contextDim;
    this.levels = levels;
    this.#noise = null;
    if (noise !== undefined) {
      const place = 'dequantize: noise';
      const { parts } = ownFlow(place, noise);
      check(parts.gpu === this.#flow.gpu, place, "a flow on flow's Gpu", 'a flow on another');
      check(noise.dim === flow.dim, place, `dim ${flow.dim}, as flow has`, noise.dim);
      const all = this.dim + this.contextDim;
      const withContext = this.contextDim > 0 && noise.contextDim === all;
      const expected = `contextDim ${this.dim}, the integers${this.contextDim > 0 ? `, or ${all}, with the context` : ''}`;
      check(withContext || noise.contextDim === this.dim, place, expected, noise.contextDim);
      this.#noise = { ...parts, withContext };
    }
    const { gpu, state } = this.#flow;
    this.#tasks = gpu.residents('dequantized flow', (task) => this.record(task as Task), [], hasHalves(state.tensors));
  }

  /**
   * Lower bound of log P(k) [n], nats, of integers k [n, D] held as floats. It is random by its noise; the same seed gives the same bits.
   *
   * @throws ValueError for an entry that is not an integer from 0 to levels − 1; otherwise as `Flow`.
   */
  async logProb(k: Float32Array, options: BoundOptions = {}): Promise<Float32Array> {
    return this.#bound('logProb', k, options);
  }

  /** The same bound as bits for each feature, −logProb / (D log 2) [n]: an upper bound of the code length. */
  async bitsPerDim(k: Float32Array, options: BoundOptions = {}): Promise<Float32Array> {
    const bound = await this.#bound('bitsPerDim', k, options);
    return bound.map((value) => -value / (this.dim * Math.LN2));
  }

  /** `count` draws of integers, [count, D]: the flow's draws times levels, rounded down. Draws outside the unit cube go to its edge. */
  async sample(count: number, options: SampleOptions = {}): Promise<Float32Array> {
    this.#tasks.assertAlive();
    checkCount('sample', count);
    const seed = resolveSeed('sample', options.seed, randomSeed);
    const contextStride = checkContext('sample', options.context, this.contextDim, count);
    const k = allocate('sample', count, this.dim);
    if (count === 0) return k;
    const inputs = { ...(options.context && { context: options.context }) };
    await this.#tasks.run('sample', 'sample', { rows: count, seed, contextStride, inputs, outputs: { k } });
    return k;
  }

  /** Frees what this object uploaded. The flows it was made of stay. Idempotent. */
  dispose(): void {
    this.#tasks.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The program of a task: printable, and what tests run in float64. */
  record(task: Task): Program {
    const r = new Recorder('dequantized');
    const { bijector, base } = this.#flow;
    const context = recordContext(r, this.contextDim);
    const scale = { features: this.dim, levels: this.levels, step: 1 / this.levels };
    if (task === 'sample') {
      const z = r.scope('base', () => base.sample(r, context));
      const y = bijector.inverse(r, z, { logDet: null, context });
      const k = r.tiled(this.dim, 'integers');
      r.run(dequantization.quantize, { buffers: { x: y, y: k }, params: scale });
      recordOutput(r, 'k', k);
      return r.finish();
    }
    const k = recordInput(r, 'k', this.dim);
    const logDet = startLogDet(r, -this.dim * Math.log(this.levels));
    const { u, logDensity } = r.scope('noise', () => this.#recordNoise(r, k, context, logDet));
    const y = r.tiled(this.dim, 'dequantized');
    r.run(dequantization.dequantize, { buffers: { x: k, u, y }, params: scale });
    const z = bijector.forward(r, y, { logDet, context });
    const logProb = r.scope('base', () => base.logDensity(r, z, logDet, 1, context));
    if (logDensity === null) recordOutput(r, 'logProb', logProb);
    else {
      const minus = packLinear({ weight: Float32Array.of(-1), mask: null, bias: null, inputs: 1 }, [0], [0]);
      const weight = r.tiled(1, 'log-weight');
      recordLinear(r, minus, logDensity, weight, { label: 'minus log q', addend: logProb });
      recordOutput(r, 'logProb', weight);
    }
    return r.finish();
  }

  /** Noise in (0, 1)^D. Adds log|du/da| of its sigmoid to the log-det; `logDensity` is log q(a | k), null for uniform noise. */
  #recordNoise(
    r: Recorder,
    k: TiledTensor,
    context: TiledTensor | null,
    logDet: TiledTensor,
  ): { u: TiledTensor; logDensity: TiledTensor | null } {
    const { dim, levels } = this;
    const all = (value: number) => new Float64Array(dim).fill(value);
    if (this.#noise === null) return { u: new BoxUniform(all(0), all(1)).sample(r), logDensity: null };
    const { bijector, base, withContext } = this.#noise;
    // (2 k + 1) / levels − 1: the middle of the integer's cell on (−1, 1).
    const centred = new DiagonalAffine('integers', {
      center: all((levels - 1) / 2),
      logScale: { raw: all(0), offset: all(Math.log(2 / levels)) },
      shift: all(0),
    });
    let condition = centred.forward(r, k, { logDet: null, context: null });
    if (withContext) condition = recordJoin(r, condition, context!, dim + this.contextDim, dim);
    const source = base.sample(r, condition);
    const noiseLogDet = startLogDet(r);
    const a = bijector.inverse(r, source, { logDet: noiseLogDet, context: condition });
    const logDensity = base.logDensity(r, source, noiseLogDet, -1, condition);
    return { u: new Logit(dim, 0).inverse(r, a, { logDet, context: null }), logDensity };
  }

  async #bound(place: string, k: Float32Array, options: BoundOptions): Promise<Float32Array> {
    this.#tasks.assertAlive();
    const rows = checkRows(`${place}: k`, k, this.dim);
    checkIntegers(`${place}: k`, k, this.dim, this.levels);
    const { samples = 1 } = options;
    checkInteger(`${place}: samples`, samples, 1);
    const seed = resolveSeed(place, options.seed, randomSeed);
    const contextStride = checkContext(place, options.context, this.contextDim, rows);
    if (rows === 0) return new Float32Array(0);
    const inputs = { k: k.slice(), ...(options.context && { context: options.context.slice() }) }; // they may change while this runs
    const draw = async (index: number): Promise<Float32Array> => {
      const logProb = new Float32Array(rows);
      this.#tasks.assertAlive();
      await this.#tasks.run('logProb', place, {
        rows,
        seed: index === 0 ? seed : derivedSeed(seed, index),
        contextStride,
        inputs,
        outputs: { logProb },
      });
      return logProb;
    };
    return logMeanWeights(rows, samples, draw);
  }
}

/**
 * Makes a flow of integer vectors out of a flow over (0, 1)^D, by uniform noise or by noise that a second flow draws for each vector.
 *
 * ```ts
 * const flow = await realNVP(gpu, { dim: 16, support: 'unit' });
 * const noise = await realNVP(gpu, { dim: 16, layers: 2, contextDim: 16 });
 * const digits = dequantize({ flow, levels: 17, noise });
 * const bits = await digits.bitsPerDim(k, { seed: 1, samples: 16 }); // k [n, 16], integers 0 … 16; bits [n]
 * ```
 *
 * @throws ValueError for levels out of range, or a noise flow whose dim, contextDim or Gpu does not fit.
 */
export const dequantize = (options: DequantizeOptions): Dequantized => new Dequantized(options);
