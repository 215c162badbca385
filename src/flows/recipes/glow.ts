import type { OpDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { checkInteger, checkOneOf } from '../checks.js';
import type { Flow } from '../flow.js';
import { factorize, householderColumns } from '../linear-algebra.js';
import { buildImageFlow, type ImageOptions, resolveImageOptions, type Shape, writeActNorm, writeLevels, writeNet } from './image.js';
import { TensorWriter } from './initial.js';

export interface GlowOptions extends ImageOptions {
  /** Steps of flow (ActNorm, 1×1 convolution, coupling) at each level. Default 4. */
  readonly steps?: number;
  /**
   * How the network's s scales the moved half, from data to noise: `sigmoid` multiplies by σ(s + 2), `sigmoid_inv` divides by it, `exp`
   * multiplies by e^-s, `additive` leaves the scale alone. Default sigmoid.
   */
  readonly scale?: 'sigmoid' | 'sigmoid_inv' | 'exp' | 'additive';
  /** Keeps the 1×1 convolutions as P L (U + diag(s)), whose log-det is a sum; else as a plain matrix. Default true. */
  readonly lu?: boolean;
  /** At each split, a Gaussian of what is split off given what goes on, from a 3×3 convolution. Default true. */
  readonly splitPrior?: boolean;
  /** K: number of classes, each with a base of its own. The last context feature is then the class, 0 … K − 1. Default 0: none. */
  readonly classes?: number;
}

/** A rotation (or reflection): the product of n reflections at random planes. Row-major [n, n]. */
export const randomRotation = (n: number, uniform: () => number): Float64Array =>
  householderColumns(
    Float64Array.from({ length: n * n }, () => 2 * uniform() - 1),
    n,
    n,
  );

/** W = P L U with partial pivoting; L has a unit diagonal. Row-major [n, n]. */
export function factorPLU(matrix: Float64Array, n: number): { permutation: Float32Array; lower: Float64Array; upper: Float64Array } {
  const { factors, order } = factorize(matrix, n);
  const permutation = new Float32Array(n * n);
  for (const [row, from] of order.entries()) permutation[from * n + row] = 1;
  const part = (keep: (i: number, j: number) => boolean) => factors.map((value, at) => (keep(Math.floor(at / n), at % n) ? value : 0));
  return { permutation, lower: part((i, j) => i > j).map((v, at) => (at % (n + 1) === 0 ? 1 : v)), upper: part((i, j) => i <= j) };
}

function writeConv1x1(writer: TensorWriter, prefix: string, channels: number, lu: boolean): void {
  const shape = [channels, channels];
  const matrix = randomRotation(channels, () => writer.uniform());
  if (!lu) {
    writer.float(`${prefix}.W`, shape, Float32Array.from(matrix));
    return;
  }
  const { permutation, lower, upper } = factorPLU(matrix, channels);
  const diagonal = Array.from({ length: channels }, (_, i) => upper[i * channels + i]!);
  writer.float(`${prefix}.P`, shape, permutation);
  writer.float(`${prefix}.L`, shape, Float32Array.from(lower));
  writer.float(
    `${prefix}.U`,
    shape,
    Float32Array.from(upper, (value, at) => (at % (channels + 1) === 0 ? 0 : value)),
  );
  writer.float(
    `${prefix}.log_S`,
    [channels],
    Float32Array.from(diagonal, (value) => Math.log(Math.abs(value))),
  );
  writer.float(`${prefix}.sign_S`, [channels], Float32Array.from(diagonal, Math.sign));
}

/**
 * A fresh Glow over images: at each level a squeeze, `steps` of ActNorm, invertible 1×1 convolution and coupling, and a split that sets half
 * the channels aside as latents. Both directions cost one pass. Kingma and Dhariwal 2018, arXiv:1807.03039.
 *
 * ```ts
 * const flow = await glow(gpu, { shape: [3, 32, 32], levels: 3, steps: 8, hidden: [128, 128], data: images });
 * const x = await flow.sample(16, { seed: 7 }); // Float32Array [16, 3 · 32 · 32], each image channel by channel
 * ```
 *
 * z holds the latents of level 0 (what remains at the end), 1, … (the first split last), each [C, H, W]. With `classes`, the last feature
 * of the context is the class; a value that is none gives NaN in that row. Densities in nats; bits a dimension = -logProb / (D ln 2).
 *
 * @throws ValueError for an option out of range, or a height or width that 2^levels does not divide; ShapeError for data that does not fit.
 */
export async function glow(gpu: Gpu, options: GlowOptions): Promise<Flow> {
  const { shape, levels, hidden, contextDim, seed } = resolveImageOptions('glow', options, (count) => count);
  const { steps = 4, scale = 'sigmoid', lu = true, splitPrior = true, classes = 0 } = options;
  checkInteger('glow: steps', steps, 1);
  checkInteger('glow: classes', classes, 0);
  checkOneOf('glow: scale', scale, ['sigmoid', 'sigmoid_inv', 'exp', 'additive']);
  const writer = new TensorWriter(seed);
  const structure: OpDescription[] = [];
  const latents: Shape[] = [];
  let [channels, height, width] = shape;
  for (let level = levels - 1; level >= 0; level--) {
    structure.push({ op: 'squeeze' });
    [channels, height, width] = [4 * channels, height / 2, width / 2];
    const half = channels / 2;
    for (let step = 0; step < steps; step++) {
      const at = `levels.${level}.${step}`;
      const actnorm = writeActNorm(writer, `${at}.actnorm`, channels);
      writeConv1x1(writer, `${at}.conv`, channels, lu);
      const outputs = scale === 'additive' ? half : channels;
      const net = writeNet(writer, `${at}.net`, { inputs: half, hidden, outputs, contextDim });
      const coupling = { ...net, scale_map: scale, split_mode: 'channel' } as const;
      structure.push({ op: 'glow_block', actnorm, conv1x1: `${at}.conv`, use_lu: lu, coupling });
    }
    if (level === 0) {
      latents.unshift([channels, height, width]);
      structure.push({ op: 'final_latent', level, latent_shape: [channels, height, width] });
    } else {
      latents.unshift([half, height, width]);
      const prior = splitPrior && writeNet(writer, `levels.${level}.prior`, { inputs: half, hidden: [], outputs: channels, contextDim: 0 });
      structure.push({ op: 'split_off', level, latent_shape: [half, height, width], ...(prior && { prior }) });
      channels = half;
    }
  }
  const baseLevels = writeLevels(writer, latents, classes);
  const base =
    classes > 0
      ? ({ type: 'class_cond_diag_normal', levels: baseLevels, label: contextDim } as const)
      : ({ type: 'diag_normal', levels: baseLevels } as const);
  return buildImageFlow(gpu, 'glow', options, { contextDim: contextDim + (classes > 0 ? 1 : 0), base, structure, writer });
}
