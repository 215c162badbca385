import type { BaseDescription, OpDescription, SplineDescription } from '../../format/description.js';
import type { Gpu } from '../../runtime/gpu.js';
import { elementwiseOps } from '../build/elementwise.js';
import { splineOps, splineSettings } from '../build/spline.js';
import { check, checkInteger, checkOneOf } from '../checks.js';
import type { Flow } from '../flow.js';
import { inverseSoftplus } from '../scalar.js';
import { type SplineKind, splineParameters, type Tails } from '../transformers/spline.js';
import { buildFresh, type RecipeOptions, resolveOptions, TensorWriter } from './initial.js';
import { writeLinear } from './linear.js';
import { writeMade } from './made.js';
import { resolveMasking, writeCouplingNet } from './masking.js';

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

/** The spline of every layer, and the base that belongs to it. */
function resolveSpline(options: NeuralSplineOptions): { spline: SplineDescription; base: BaseDescription } {
  const { kind = 'rational-quadratic', bins = 8, tails = 'linear' } = options;
  checkOneOf(`${NAME}: kind`, kind, ['rational-quadratic', 'linear', 'quadratic', 'cubic']);
  checkOneOf(`${NAME}: tails`, tails, ['linear', 'none', 'circular']);
  const least = kind === 'quadratic' && tails === 'linear' ? 2 : 1;
  checkInteger(`${NAME}: bins`, bins, least, 999);
  const circular = tails === 'circular';
  check(!circular || kind === 'rational-quadratic', `${NAME}: tails`, "kind 'rational-quadratic' where they are 'circular'", kind);
  const bound = options.bound ?? (circular ? Math.PI : 5);
  check(tails !== 'none' || options.bound === undefined, `${NAME}: bound`, "box with tails 'none'", bound);
  check(tails === 'none' || options.box === undefined, `${NAME}: box`, `bound with tails '${tails}'`, options.box);
  check(Math.fround(bound) > 0 && Number.isFinite(bound), `${NAME}: bound`, 'a number above 0', bound);
  const [low, high] = (options.box ?? [0, 1]).map(Math.fround) as [number, number];
  check(low < high && Number.isFinite(high - low), `${NAME}: box`, '[low, high] with low < high', options.box);
  // Rounded once, so that the box, the base and the period are the same numbers everywhere.
  const b = Math.fround(bound);
  const where = tails === 'none' ? { box: [low, high, low, high] } : { tail_bound: b };
  const sizes = { min_bin_width: 1e-3, min_bin_height: 1e-3, width_height_divisor: 1 };
  const ends = circular ? { low: -b, high: b } : { low, high };
  const base: BaseDescription = tails === 'linear' ? { type: 'standard_normal' } : { type: 'uniform', ...ends };
  if (tails === 'circular' || kind === 'rational-quadratic') {
    // Half a turn a layer, so that no angle stays where it is.
    const turn = circular ? { shift: b } : {};
    return { spline: { type: 'durkan', bins, tails, ...where, ...turn, ...sizes, min_derivative: 1e-3 }, base };
  }
  if (kind === 'linear') return { spline: { type: 'linear', bins, tails, ...where }, base };
  return { spline: { type: kind, bins, tails, ...where, ...sizes }, base };
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
  checkOneOf(`${NAME}: type`, type, ['coupling', 'autoregressive']);
  const coupled = type === 'coupling';
  check(!coupled || dim > 1, `${NAME}: dim`, "at least 2 for a coupling (type 'autoregressive' takes dim 1)", dim);
  const { spline, base } = resolveSpline(options);
  const settings = splineSettings(spline, NAME);
  const each = splineParameters(settings);
  const writer = new TensorWriter(seed);
  const structure: OpDescription[] = [];
  const net = { hidden, contextDim, activation: 'relu' } as const;
  const masks = coupled ? resolveMasking(NAME, {}, dim, layers, writer) : [];
  if (settings.tails === 'circular') structure.push({ op: 'wrap', bound: settings.box[1] });
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `layers.${layer}`;
    if (coupled)
      structure.push({ op: 'coupling_spline', ...writeCouplingNet(writer, `${prefix}.net`, masks[layer]!, { ...net, each }), spline });
    else {
      if (layer > 0) structure.push(...writeLinear(writer, prefix, dim, 'reverse'));
      const shape = { ...net, dim, degrees: 'sequential', residual: false, contextMode: 'add' } as const;
      const made = writeMade(writer, prefix, { ...shape, outputs: each * dim, featureOf: (o) => Math.floor(o / each) });
      structure.push({ op: 'ar_spline', net: made, spline });
    }
    // A rational-quadratic spline starts near the identity: its derivatives at 1.
    const bias = writer.tensors.get(`${prefix}.net.${hidden.length}.bias`)!.data as Float32Array;
    if (settings.spline === 'rational-quadratic')
      for (const at of bias.keys()) if (at % each >= 2 * settings.bins) bias[at]! += inverseSoftplus(1 - 1e-3);
  }
  return buildFresh(gpu, options, structure, writer, { ...elementwiseOps, ...splineOps }, { base });
}
