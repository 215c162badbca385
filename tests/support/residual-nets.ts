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

/** Layers whose product of norms is `lipschitz`; lipswish also stands before the first one, with a beta of its own. */
export function contractiveNet(
  dim: number,
  hidden: readonly number[],
  activation: MlpActivation,
  lipschitz: number,
  seed = 1,
): ContractiveNet {
  const random = new Random(seed);
  const widths = [dim, ...hidden, dim];
  const drawn = widths.slice(1).map(
    (outputs, index): MlpLayer => ({
      inputs: widths[index]!,
      outputs,
      weight: random.normals(outputs * widths[index]!),
      bias: random.normals(outputs, 0.3),
      activation: index === 0 && activation !== 'lipswish' ? 'identity' : activation,
      beta: 0.6 + 0.3 * index,
    }),
  );
  const factor = (lipschitz / lipschitzBound(drawn)) ** (1 / drawn.length);
  const layers = drawn.map((layer) => ({ ...layer, weight: layer.weight.map((value) => value * factor) }));
  return { layers, net: planRowNet(planMlp(layers), dim), lipschitz: lipschitzBound(layers) };
}
