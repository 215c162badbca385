// Contractive networks by hand, for the kernels of residual layers.

import { planRowNet, type RowNet } from '../../src/flows/bijectors/residual-plan.js';
import { lipschitzBound } from '../../src/flows/conditioner/spectral-norm.js';
import { type MlpActivation, type MlpLayer, planMlp } from '../../src/flows/conditioner/tangents.js';
import { Random } from './random.js';

export interface ContractiveNet {
  readonly layers: readonly MlpLayer[];
  readonly net: RowNet;
  readonly lipschitz: number;
}

/** Orthonormal columns, or rows where those are fewer, by Gram and Schmidt. */
function orthonormal(random: Random, outputs: number, inputs: number): Float32Array<ArrayBuffer> {
  const [count, length] = [Math.min(outputs, inputs), Math.max(outputs, inputs)];
  const vectors: Float64Array[] = [];
  for (let i = 0; i < count; i++) {
    const v = Float64Array.from(random.normals(length));
    for (const u of vectors) {
      const dot = u.reduce((sum, value, k) => sum + value * v[k]!, 0);
      for (let k = 0; k < length; k++) v[k]! -= dot * u[k]!;
    }
    const norm = Math.hypot(...v);
    vectors.push(v.map((value) => value / norm));
  }
  return Float32Array.from({ length: outputs * inputs }, (_, at) => {
    const [o, i] = [Math.floor(at / inputs), at % inputs];
    return outputs >= inputs ? vectors[i]![o]! : vectors[o]![i]!;
  });
}

/**
 * Layers whose product of norms is `lipschitz`; lipswish also stands before the first one, with a beta of its own.
 *
 * @param rotating layers that shrink no direction more than another, so that the Jacobian's norm is near the bound: the Jacobian of random ones is
 *   a tenth of it.
 */
export function contractiveNet(
  dim: number,
  hidden: readonly number[],
  activation: MlpActivation,
  lipschitz: number,
  rotating = false,
  seed = 1,
): ContractiveNet {
  const random = new Random(seed);
  const widths = [dim, ...hidden, dim];
  const drawn = widths.slice(1).map(
    (outputs, index): MlpLayer => ({
      inputs: widths[index]!,
      outputs,
      weight: rotating ? orthonormal(random, outputs, widths[index]!) : random.normals(outputs * widths[index]!),
      bias: random.normals(outputs, 0.3),
      activation: index === 0 && activation !== 'lipswish' ? 'identity' : activation,
      beta: 0.6 + 0.3 * index,
    }),
  );
  const factor = (lipschitz / lipschitzBound(drawn)) ** (1 / drawn.length);
  const layers = drawn.map((layer) => ({ ...layer, weight: layer.weight.map((value) => value * factor) }));
  return { layers, net: planRowNet(planMlp(layers), dim), lipschitz: lipschitzBound(layers) };
}
