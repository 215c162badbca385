import type { BaseDescription, OpDescription, SplineDescription } from '../../format/description.js';
import { ValueError } from '../../runtime/errors.js';
import type { Gpu } from '../../runtime/gpu.js';
import { elementwiseOps } from '../build/elementwise.js';
import { splineOps, splineSettings } from '../build/spline.js';
import type { Flow } from '../flow.js';
import { type SplineKind, splineParameters, type Tails } from '../transformers/spline.js';
import { buildFresh, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';

export interface NeuralSplineOptions extends RecipeOptions {
  /** Half of the features by the other half, or each by those before it. Default 'coupling', which needs dim ≥ 2. */
  readonly type?: 'coupling' | 'autoregressive';
  /** Default 'rational-quadratic', the only one that can be circular. */
  readonly kind?: SplineKind;
  /** K: bins of each spline. Default 8. */
  readonly bins?: number;
  /**
   * What lies outside the splines' box. 'linear' (default): the identity, over a standard normal. 'circular': nothing, since the ends are one
   * point and features are angles, over a uniform base. 'none': no density, over a uniform base on the same box.
   */
  readonly tails?: Tails;
  /** B: the box is [−B, B]. Default 5, and π where circular. Not with tails 'none'. */
  readonly bound?: number;
  /** The box with tails 'none'. Default [0, 1]. */
  readonly box?: readonly [low: number, high: number];
}

const NAME = 'neuralSpline';
/** Unconstrained derivative that becomes 1: log(e^(1 − 1e-3) − 1). */
const UNIT_DERIVATIVE = Math.log(Math.expm1(1 - 1e-3));

function among<T extends string>(key: string, value: T, known: readonly T[]): void {
  if (!known.includes(value)) throw new ValueError(`${NAME}: ${key}`, `one of ${known.map((v) => `'${v}'`).join(', ')}`, String(value));
}

/** The spline of every layer, and the base that belongs to it. */
function resolveSpline(options: NeuralSplineOptions): { spline: SplineDescription; base: BaseDescription } {
  const { kind = 'rational-quadratic', bins = 8, tails = 'linear' } = options;
  among('kind', kind, ['rational-quadratic', 'linear', 'quadratic', 'cubic']);
  among('tails', tails, ['linear', 'none', 'circular']);
  const least = kind === 'quadratic' && tails === 'linear' ? 2 : 1;
  if (!Number.isInteger(bins) || bins < least || bins >= 1000)
    throw new ValueError(`${NAME}: bins`, `an integer from ${least} to 999`, String(bins));
  if (tails === 'circular' && kind !== 'rational-quadratic')
    throw new ValueError(`${NAME}: tails`, "kind 'rational-quadratic' where they are 'circular'", `kind '${kind}'`);
  const bound = options.bound ?? (tails === 'circular' ? Math.PI : 5);
  if (tails === 'none' && options.bound !== undefined) throw new ValueError(`${NAME}: bound`, "box with tails 'none'", `bound ${bound}`);
  if (tails !== 'none' && options.box !== undefined) throw new ValueError(`${NAME}: box`, `bound with tails '${tails}'`, 'box');
  if (!(Math.fround(bound) > 0) || !Number.isFinite(bound)) throw new ValueError(`${NAME}: bound`, 'a number above 0', String(bound));
  const [low, high] = (options.box ?? [0, 1]).map(Math.fround) as [number, number];
  if (!(low < high) || !Number.isFinite(high - low))
    throw new ValueError(`${NAME}: box`, '[low, high] with low < high', JSON.stringify(options.box));
  // Rounded once, so that the box, the base and the period are the same numbers everywhere.
  const b = Math.fround(bound);
  const where = tails === 'none' ? { box: [low, high, low, high] } : { tail_bound: b };
  const sizes = { min_bin_width: 1e-3, min_bin_height: 1e-3, width_height_divisor: 1 };
  const base: BaseDescription =
    tails === 'linear'
      ? { type: 'standard_normal' }
      : tails === 'none'
        ? { type: 'uniform', low, high }
        : { type: 'uniform', low: -b, high: b };
  if (tails === 'circular' || kind === 'rational-quadratic') {
    // Half a turn a layer, so that no angle stays where it is.
    const turn = tails === 'circular' ? { shift: b } : {};
    return { spline: { type: 'durkan', bins, tails, ...where, ...turn, ...sizes, min_derivative: 1e-3 }, base };
  }
  if (kind === 'linear') return { spline: { type: 'linear', bins, tails, ...where }, base };
  return { spline: { type: kind, bins, tails, ...where, ...sizes }, base };
}

/** Linear layers of a network with `parameters` outputs a feature; masked as a MADE of degrees 1 … D − 1 in turn, or not. */
function writeNet(
  writer: TensorWriter,
  prefix: string,
  inputs: number,
  hidden: readonly number[],
  slots: number,
  parameters: number,
  masked: boolean,
) {
  let degrees = Array.from({ length: inputs }, (_, i) => i + 1);
  return [...hidden, slots * parameters].map((width, index) => {
    const name = `${prefix}.${index}`;
    const output = index === hidden.length;
    writer.linear(name, degrees.length, width);
    const most = Math.max(1, inputs - 1);
    const own = Array.from({ length: width }, (_, i) => (output ? Math.floor(i / parameters) + 1 : (i % most) + Math.min(1, inputs - 1)));
    const before = degrees;
    if (masked) writer.mask(name, width, before.length, (o, i) => (output ? own[o]! > before[i]! : own[o]! >= before[i]!));
    degrees = own;
    return name;
  });
}

/**
 * A fresh neural spline flow: couplings or autoregressive layers whose transformers are monotone splines. Both directions cost about one
 * network pass a layer. Data should fill the box and little more: with linear tails what lies outside is not transformed.
 * Durkan et al. 2019, arXiv:1906.04032; circular: Rezende et al. 2020, arXiv:2002.02428.
 *
 * ```ts
 * const flow = await neuralSpline(gpu, { dim: 6, type: 'autoregressive', layers: 3, hidden: [128, 128], bins: 8 });
 * const angles = await neuralSpline(gpu, { dim: 2, tails: 'circular' }); // x in [−π, π]^2
 * ```
 *
 * @throws ValueError for an option out of range, or a coupling with dim 1.
 */
export async function neuralSpline(gpu: Gpu, options: NeuralSplineOptions): Promise<Flow> {
  const { dim, layers, hidden, contextDim, seed } = resolveOptions(NAME, options);
  const { type = 'coupling' } = options;
  among('type', type, ['coupling', 'autoregressive']);
  if (type === 'coupling' && dim < 2)
    throw new ValueError(`${NAME}: dim`, "at least 2 for a coupling (type 'autoregressive' takes dim 1)", String(dim));
  const { spline, base } = resolveSpline(options);
  const settings = splineSettings(spline, NAME);
  const parameters = splineParameters(settings);
  const writer = new TensorWriter(seed);
  const structure: OpDescription[] = [];
  const features = Array.from({ length: dim }, (_, i) => i);
  if (settings.tails === 'circular') structure.push({ op: 'wrap', bound: settings.box[1] });
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `layers.${layer}`;
    let last: string;
    if (type === 'autoregressive') {
      if (layer > 0) structure.push({ op: 'permute', perm: features.map((i) => dim - 1 - i) });
      const linears = writeNet(writer, `${prefix}.net`, dim, hidden, dim, parameters, true);
      const context_proj = contextDim > 0 ? `${prefix}.context_proj` : null;
      if (context_proj) writer.linear(context_proj, contextDim, hidden[0]!);
      structure.push({ op: 'ar_spline', net: { type: 'masked_mlp', linears, activation: 'relu', context_proj }, spline });
      last = linears[hidden.length]!;
    } else {
      const identity = features.filter((i) => i % 2 === layer % 2);
      const transform = features.filter((i) => i % 2 !== layer % 2);
      const linears = writeNet(writer, `${prefix}.net`, identity.length + contextDim, hidden, transform.length, parameters, false);
      const net = { type: 'zuko_mlp', linears, activation: 'relu', context_concat: contextDim > 0 } as const;
      structure.push({ op: 'coupling_spline', identity, transform, net, spline });
      last = linears[hidden.length]!;
    }
    // A rational-quadratic spline starts near the identity.
    const bias = writer.tensors.get(`${last}.bias`)!.data as Float32Array;
    if (settings.spline === 'rational-quadratic')
      for (const at of bias.keys()) if (at % parameters >= 2 * settings.bins) bias[at]! += UNIT_DERIVATIVE;
  }
  return buildFresh(gpu, { dim, contextDim, ends: options, base }, structure, writer, { ...elementwiseOps, ...splineOps });
}
