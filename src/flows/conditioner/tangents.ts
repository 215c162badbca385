// A plain network with values, slopes and tangents: forward once keeping the slopes of its activations, then any number of tangents
// through the linear layers, side by side (vector forward mode). An activation stands before each layer: a network that ends its layers
// with one has the identity before the first.

import { type Activation, activation, SLOPE_NUMBER } from '../../kernels/activation.js';
import { divergence, EVERY_PROBE, PROBE_NUMBER } from '../../kernels/divergence.js';
import { fill } from '../../kernels/fill.js';
import { scaleTangents, seedTangents } from '../../kernels/scale-tangents.js';
import type { Recorder } from '../../runtime/recorder.js';
import { type ConstantTensor, NONE, type Tensor, type TiledTensor } from '../../runtime/tensor.js';
import { transpose } from '../linear-algebra.js';
import { identityOrder, type LinearEpilogue, type LinearSource, type PackedLinear, packLinear, recordLinear } from './packing.js';

export type MlpActivation = keyof typeof SLOPE_NUMBER;

/** y = W act(h) + b. */
export interface MlpLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs, inputs], row-major. */
  readonly weight: Float32Array;
  /** Of weights that are computed; see LinearSource. */
  readonly originOf?: LinearSource['originOf'];
  /** Largest spectral norm that the weight is scaled down to; left out where nothing bounds it. */
  readonly bound?: number;
  readonly bias: Float32Array | null;
  readonly activation: MlpActivation;
  /** Of lipswish. Default 1. */
  readonly beta?: number;
  /** What a learned beta is computed from. */
  readonly betaOrigin?: ConstantTensor['origin'];
}

interface PlannedLayer {
  readonly layer: MlpLayer;
  readonly packed: PackedLinear;
  /** The same weights without a bias. */
  readonly tangent: PackedLinear;
  readonly beta: Float32Array<ArrayBuffer>;
}

export type MlpPlan = readonly PlannedLayer[];

/** Packed once, so that all programs of a flow share the buffers. */
export const planMlp = (layers: readonly MlpLayer[]): MlpPlan =>
  layers.map((layer) => {
    const packed = packLinear({ ...layer, mask: null }, identityOrder(layer.outputs), identityOrder(layer.inputs));
    return { layer, packed, tangent: { ...packed, bias: new Float32Array(packed.bias.length) }, beta: Float32Array.of(layer.beta ?? 1) };
  });

export interface MlpValues {
  /** [outputs of the last layer, rows]; null where it was not asked for. */
  readonly y: TiledTensor | null;
  /** act' before each layer, [its inputs, rows]; null before one without an activation, where it is 1. */
  readonly slopes: readonly (TiledTensor | null)[];
}

/** What follows the product of layer `index` beside what the network itself asks for: biases and norms that lie elsewhere. */
export type EpilogueOf = (index: number) => Partial<LinearEpilogue>;

/**
 * Records the network on x.
 *
 * @param options `first` is added to the first layer's product (a context), `last` to the last one's (a skip connection); `output` false
 *   leaves the last layer out, for its slopes alone. `fused` has the layers end with the activations, of which it gives no slopes: for a
 *   network that begins with the identity and has no lipswish. `into` takes the output, from its feature `at` on.
 */
export function recordMlp(
  r: Recorder,
  plan: MlpPlan,
  x: TiledTensor,
  options: {
    readonly first?: TiledTensor | null;
    readonly last?: TiledTensor | null;
    readonly output?: boolean;
    readonly fused?: boolean;
    readonly into?: { readonly tensor: TiledTensor; readonly at: number };
    readonly epilogueOf?: EpilogueOf;
  } = {},
): MlpValues {
  const { first = null, last = null, output = true, fused = false, into, epilogueOf } = options;
  const slopes: (TiledTensor | null)[] = [];
  let h = x;
  for (const [index, { layer, packed, beta }] of plan.entries()) {
    const final = index === plan.length - 1;
    let slope: TiledTensor | null = null;
    if (layer.activation !== 'identity' && !fused) {
      slope = r.tiled(layer.inputs, `slope ${index}`);
      const value = r.tiled(layer.inputs, `hidden ${index}`);
      r.run(activation, {
        buffers: {
          source: h,
          value,
          slope,
          beta: layer.activation === 'lipswish' ? r.constant(beta, `beta ${index}`, layer.betaOrigin) : NONE,
        },
        params: { features: layer.inputs },
        constants: { ACTIVATION: SLOPE_NUMBER[layer.activation], HAS_VALUE: !final || output },
      });
      h = value;
    }
    slopes.push(slope);
    if (final && !output) return { y: null, slopes };
    const y = (final && into?.tensor) || r.tiled(layer.outputs, `linear ${index}`);
    recordLinear(r, packed, h, y, {
      label: `${index}`,
      addend: (index === 0 ? first : null) ?? (final ? last : null),
      yAt: final && into ? into.at : 0,
      ...(fused && !final && { activation: plan[index + 1]!.layer.activation as Activation }),
      ...epilogueOf?.(index),
    });
    h = y;
  }
  return { y: h, slopes };
}

/** Params of the divergence kernels that an entry point does not read. */
export const UNUSED = { scale_at: 0, total_features: 1, total_at: 0, stream: 0, factor: 1, domain: 0, largest: EVERY_PROBE };

/** Vectors that a trace sums over: so many random ones, or all `dim` unit vectors. */
export interface Probes {
  readonly dim: number;
  readonly probe: keyof typeof PROBE_NUMBER;
  readonly probes: number;
  readonly stream: number;
  readonly domain: number;
  /** Probes with a larger word are 0. Default: none. */
  readonly largest?: number;
}

/** Records probes side by side, [probes · dim, rows]. */
export function recordProbes(r: Recorder, { dim, probe, probes, stream, domain, largest = EVERY_PROBE }: Probes): TiledTensor {
  const y = r.tiled(dim * probes, 'probes');
  r.run(divergence.probes, {
    buffers: { y },
    params: { ...UNUSED, dim, hidden: probes, stream, domain, largest },
    constants: { PROBE: PROBE_NUMBER[probe] },
  });
  return y;
}

/** Records factor · Σ over probes of probe · image into feature `at` of `total`. */
export function recordProbeSum(
  r: Recorder,
  { probes, image, dim }: { readonly probes: TiledTensor; readonly image: TiledTensor; readonly dim: number },
  total: TiledTensor,
  at: number,
  factor: number,
): void {
  r.run(divergence.probeSum, {
    buffers: { tangents: probes, image, total },
    params: { ...UNUSED, dim, hidden: probes.features / dim, total_features: total.features, total_at: at, factor },
  });
}

/** Unit vectors of the inputs as rows, [n, n]. */
function unitSeeds(n: number): Float32Array<ArrayBuffer> {
  const seeds = new Float32Array(n * n);
  for (let i = 0; i < n; i++) seeds[i * n + i] = 1;
  return seeds;
}

/** Where the whole Jacobian starts: its seed, the same in every row, and the layer that it enters with its slopes. */
export interface JacobianSeed {
  readonly layer: number;
  readonly seeds: Float32Array<ArrayBuffer>;
}

/** Unit vectors; without an activation before the first layer, what that layer makes of them: the columns of its weights. */
export function planJacobian(plan: MlpPlan): JacobianSeed {
  const { layer } = plan[0]!;
  if (layer.activation !== 'identity' || plan.length === 1) return { layer: 0, seeds: unitSeeds(layer.inputs) };
  const { inputs, outputs, weight } = layer;
  return { layer: 1, seeds: Float32Array.from(transpose(weight, outputs, inputs)) };
}

/** Where tangents go: through layers `from` to `until` − 1. Default: all. */
interface Through {
  readonly from?: number;
  readonly until?: number;
  /** They have passed the first of these layers' activation already. Default false. */
  readonly entered?: boolean;
  readonly epilogueOf?: EpilogueOf | undefined;
}

/** J t for each of several tangents side by side, [blocks · inputs, rows] to [blocks · outputs, rows]. */
export function recordTangents(
  r: Recorder,
  plan: MlpPlan,
  slopes: MlpValues['slopes'],
  tangents: TiledTensor,
  { from = 0, until = plan.length, entered = false, epilogueOf }: Through = {},
): TiledTensor {
  let t = tangents;
  for (let index = from; index < until; index++) {
    const { layer, tangent } = plan[index]!;
    const slope = slopes[index]!;
    const blocks = t.features / layer.inputs;
    if (slope && !(entered && index === from)) {
      const scaled = r.tiled(t.features, `scaled tangents ${index}`);
      r.run(scaleTangents, { buffers: { x: t, slope, y: scaled }, params: { features: layer.inputs, blocks, scale_at: 0 } });
      t = scaled;
    }
    const y = r.tiled(blocks * layer.outputs, `tangents ${index}`);
    recordLinear(r, tangent, t, y, { label: `tangents ${index}`, blocks, ...epilogueOf?.(index) });
    t = y;
  }
  return t;
}

/**
 * The whole Jacobian, [inputs · outputs, rows]: feature b · outputs + o is dy[o] / dx[b].
 *
 * @param options `until`: of the layers before that one alone, which is what enters it; behind its activation where it is the seed's own.
 *   `scale`: of what the seed's layers are made of, from element `at` on.
 */
export function recordJacobian(
  r: Recorder,
  plan: MlpPlan,
  slopes: MlpValues['slopes'],
  { layer, seeds }: JacobianSeed,
  options: Omit<Through, 'from' | 'entered'> & { readonly scale?: { readonly tensor: Tensor; readonly at: number } | null } = {},
): TiledTensor {
  const { scale, ...through } = options;
  const features = plan[layer]!.layer.inputs;
  const blocks = seeds.length / features;
  const entering = r.tiled(seeds.length, 'seed tangents');
  let slope = slopes[layer] ?? null;
  if (!slope) {
    slope = r.tiled(features, 'slope 1');
    r.run(fill, { buffers: { destination: slope }, params: { features, value: 1 } });
  }
  r.run(seedTangents, {
    buffers: { slope, seed: r.constant(seeds, 'seeds'), scale: scale?.tensor ?? NONE, y: entering },
    params: { features, blocks, scale_at: scale?.at ?? 0 },
    constants: { SCALE: Boolean(scale) },
  });
  return recordTangents(r, plan, slopes, entering, { ...through, from: layer, entered: true });
}
