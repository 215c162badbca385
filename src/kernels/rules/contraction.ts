// The adjoint of a solve x + g(x) = z: λ with λ + Jᵀ λ = d, which the backward kernel finds as the solve found x.

import type { Gradients } from '../../runtime/derivative.js';
import type { Command } from '../../runtime/program.js';
import type { Recorder } from '../../runtime/recorder.js';
import { type ConstantTensor, NONE, sliced, type TiledTensor } from '../../runtime/tensor.js';
import { STRIP } from '../linear-strips.js';
import { fixedPointSteps, LAYER_WORDS, memoryFor, patienceFor } from '../residual-solve.js';
import { residualSolveBackward } from '../residual-solve-backward.js';
import { lengthOf } from './tables.js';

export interface TransposedNet {
  /** The network and behind it the transposed one, last layer first. */
  readonly layers: Uint32Array<ArrayBuffer>;
  /** Where the weights of both lie among those of the network: 0 for padding, else 1 + index. */
  readonly places: Uint32Array<ArrayBuffer>;
  /** Features of the slopes that values leave. */
  readonly slopeFeatures: number;
}

const transposed = /*#__PURE__*/ new WeakMap<Uint32Array, TransposedNet>();

/** @param length of the network's weights. */
export function transposedNet(own: Uint32Array<ArrayBuffer>, length: number): TransposedNet {
  const known = transposed.get(own);
  if (known) return known;
  const count = own.length / LAYER_WORDS;
  const layers = new Uint32Array(2 * own.length);
  layers.set(own);
  const places = Array.from({ length: sliced(length) }, (_, at) => (at < length ? at + 1 : 0));
  let slopeFeatures = 0;
  for (let layer = count - 1; layer >= 0; layer--) {
    const [inputs, outputs, weightAt, , , active] = own.subarray(layer * LAYER_WORDS) as unknown as number[];
    // What stands before W^T is the activation behind W.
    const [slopeAt, follows] = layer + 1 < count ? own.subarray((layer + 1) * LAYER_WORDS + 4) : [0, 0];
    layers.set([outputs!, inputs!, places.length / 4, 0, slopeAt!, follows!, 0], (2 * count - 1 - layer) * LAYER_WORDS);
    if (active === 1) slopeFeatures += inputs!;
    for (let strip = 0; strip * STRIP < inputs!; strip++)
      for (let o = 0; o < outputs!; o++)
        for (let lane = 0; lane < STRIP; lane++) {
          const k = strip * STRIP + lane;
          const from = Math.floor(o / STRIP) * inputs! + k;
          places.push(k < inputs! ? 1 + 4 * weightAt! + from * STRIP + (o % STRIP) : 0);
        }
  }
  const net = { layers, places: Uint32Array.from(places), slopeFeatures };
  transposed.set(own, net);
  return net;
}

/** Records λ for the solve that `solve` recorded. @param d gradient by its solution. */
export function recordContractionAdjoint(r: Recorder, solve: Command, gradients: Gradients, d: TiledTensor): TiledTensor {
  const { weight, bias, layers, side, x: point } = solve.tensors;
  const { dim, layers: count, width, side_features, contraction } = solve.params as Record<string, number>;
  const net = transposedNet((layers as ConstantTensor).data as Uint32Array<ArrayBuffer>, lengthOf(weight!));
  const memory = memoryFor(dim!);
  const nodes = 2 * width! + (5 + memory) * dim! + net.slopeFeatures;
  const lambda = r.tiled(dim!, 'adjoint');
  r.run(residualSolveBackward, {
    buffers: {
      state: r.tiled(nodes, 'state'),
      weight: gradients.rearranged(weight!, net.places),
      bias: bias!,
      layers: r.constant(net.layers, 'layers and transposed ones'),
      side: side ?? NONE,
      source: d,
      x: lambda,
      point: point!,
    },
    params: {
      dim: dim!,
      layers: count!,
      width: width!,
      nodes,
      side_features: side_features!,
      memory,
      limit: 1 + 2 * fixedPointSteps(contraction!, 2 ** -24),
      patience: patienceFor(contraction!),
      slope_features: net.slopeFeatures,
      contraction: contraction!,
      tolerance: 0,
    },
    constants: { ...solve.constants, SLOPES: true } as never,
  });
  return lambda;
}
