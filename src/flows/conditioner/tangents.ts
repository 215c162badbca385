// A plain network with values, slopes and tangents: forward once keeping the slopes of its activations, then any number of tangents
// through the linear layers, side by side (vector forward mode). An activation stands before each layer: a network that ends its layers
// with one has the identity before the first.

import { activation, SLOPE_NUMBER } from '../../kernels/activation.js';
import { fill } from '../../kernels/fill.js';
import { scaleTangents, seedTangents } from '../../kernels/scale-tangents.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from './packing.js';

export type MlpActivation = keyof typeof SLOPE_NUMBER;

/** y = W act(h) + b. */
export interface MlpLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs, inputs], row-major. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  readonly activation: MlpActivation;
  /** Of lipswish. Default 1. */
  readonly beta?: number;
}

interface PlannedLayer {
  readonly layer: MlpLayer;
  readonly packed: PackedLinear;
  /** The same weights without a bias. */
  readonly tangent: PackedLinear;
}

export type MlpPlan = readonly PlannedLayer[];

/** Packed once, so that all programs of a flow share the buffers. */
export const planMlp = (layers: readonly MlpLayer[]): MlpPlan =>
  layers.map((layer) => {
    const packed = packLinear({ ...layer, mask: null }, identityOrder(layer.outputs), identityOrder(layer.inputs));
    return { layer, packed, tangent: { ...packed, bias: new Float32Array(packed.bias.length) } };
  });

export interface MlpValues {
  /** [outputs of the last layer, rows]; null where it was not asked for. */
  readonly y: TiledTensor | null;
  /** act' before each layer, [its inputs, rows]; null before one without an activation, where it is 1. */
  readonly slopes: readonly (TiledTensor | null)[];
}

/**
 * Records the network on x.
 *
 * @param options `first` is added to the first layer's product (a context), `last` to the last one's (a skip connection); `output` false
 *   leaves the last layer out, for its slopes alone.
 */
export function recordMlp(
  r: Recorder,
  plan: MlpPlan,
  x: TiledTensor,
  options: { readonly first?: TiledTensor | null; readonly last?: TiledTensor | null; readonly output?: boolean } = {},
): MlpValues {
  const { first = null, last = null, output = true } = options;
  const slopes: (TiledTensor | null)[] = [];
  let h = x;
  for (const [index, { layer, packed }] of plan.entries()) {
    const final = index === plan.length - 1;
    let slope: TiledTensor | null = null;
    if (layer.activation !== 'identity') {
      slope = r.tiled(layer.inputs, `slope ${index}`);
      const value = r.tiled(layer.inputs, `hidden ${index}`);
      r.run(activation, {
        buffers: { source: h, value, slope },
        params: { features: layer.inputs, beta: layer.beta ?? 1 },
        constants: { ACTIVATION: SLOPE_NUMBER[layer.activation], HAS_VALUE: !final || output },
      });
      h = value;
    }
    slopes.push(slope);
    if (final && !output) return { y: null, slopes };
    const y = r.tiled(layer.outputs, `linear ${index}`);
    recordLinear(r, packed, h, y, { label: `${index}`, addend: (index === 0 ? first : null) ?? (final ? last : null) });
    h = y;
  }
  return { y: h, slopes };
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
  return {
    layer: 1,
    seeds: Float32Array.from({ length: inputs * outputs }, (_, at) => weight[(at % outputs) * inputs + Math.floor(at / outputs)]!),
  };
}

/** Records tangents through the layers from `from` on; `tangents` has entered that layer's activation already if `entered`. */
function pushTangents(
  r: Recorder,
  plan: MlpPlan,
  slopes: MlpValues['slopes'],
  from: number,
  tangents: TiledTensor,
  entered: boolean,
): TiledTensor {
  let t = tangents;
  for (const [index, { layer, tangent }] of plan.entries()) {
    if (index < from) continue;
    const slope = slopes[index]!;
    const blocks = t.features / layer.inputs;
    if (slope && !(entered && index === from)) {
      const scaled = r.tiled(t.features, `scaled tangents ${index}`);
      r.run(scaleTangents, { buffers: { x: t, slope, y: scaled }, params: { features: layer.inputs, blocks } });
      t = scaled;
    }
    const y = r.tiled(blocks * layer.outputs, `tangents ${index}`);
    recordLinear(r, tangent, t, y, { label: `tangents ${index}`, blocks });
    t = y;
  }
  return t;
}

/** J t for each of several tangents side by side, [blocks · inputs, rows] to [blocks · outputs, rows]. */
export const recordTangents = (r: Recorder, plan: MlpPlan, slopes: MlpValues['slopes'], tangents: TiledTensor): TiledTensor =>
  pushTangents(r, plan, slopes, 0, tangents, false);

/** The whole Jacobian, [inputs · outputs, rows]: feature b · outputs + o is dy[o] / dx[b]. */
export function recordJacobian(r: Recorder, plan: MlpPlan, slopes: MlpValues['slopes'], { layer, seeds }: JacobianSeed): TiledTensor {
  const features = plan[layer]!.layer.inputs;
  const blocks = seeds.length / features;
  const entering = r.tiled(seeds.length, 'seed tangents');
  let slope = slopes[layer] ?? null;
  if (!slope) {
    slope = r.tiled(features, 'slope 1');
    r.run(fill, { buffers: { destination: slope }, params: { features, value: 1 } });
  }
  r.run(seedTangents, { buffers: { slope, seed: r.constant(seeds, 'seeds'), y: entering }, params: { features, blocks } });
  return pushTangents(r, plan, slopes, layer, entering, true);
}
