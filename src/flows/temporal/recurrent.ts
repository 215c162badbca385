// A stack of LSTM or GRU layers, one step at a time, with weights as torch.nn.LSTM and torch.nn.GRU hold them. A layer is one product and
// one elementwise kernel: its input and its last hidden state lie side by side in one tensor, so that both projections are one
// masked-linear over four gates. docs/flows/temporal.md has the equations.

import { type CellType, recurrentCell, TORCH_GATES } from '../../kernels/recurrent-cell.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';

/** Tensors of one layer: weights [gates · H, inputs] and [gates · H, H], biases [gates · H] or null. */
export interface RecurrentWeights {
  readonly inputWeight: Float32Array;
  readonly hiddenWeight: Float32Array;
  readonly inputBias: Float32Array | null;
  readonly hiddenBias: Float32Array | null;
}

/** Gate of torch's that each of the kernel's four reads from the input, and from the hidden state; null: none. */
const GATES = {
  lstm: { input: [0, 1, 2, 3], hidden: [0, 1, 2, 3] },
  gru: { input: [0, 1, 2, null], hidden: [0, 1, null, 2] },
} as const satisfies Record<CellType, Record<'input' | 'hidden', readonly (number | null)[]>>;

function packLayer(type: CellType, weights: RecurrentWeights, inputs: number, hidden: number): PackedLinear {
  const width = inputs + hidden;
  const rows = 4 * hidden;
  const weight = new Float32Array(rows * width);
  const mask = new Uint8Array(rows * width);
  const bias = new Float64Array(rows); // the two biases are added in float64 and rounded once
  for (const { from, fromBias, columns, at, gates } of [
    { from: weights.inputWeight, fromBias: weights.inputBias, columns: inputs, at: 0, gates: GATES[type].input },
    { from: weights.hiddenWeight, fromBias: weights.hiddenBias, columns: hidden, at: inputs, gates: GATES[type].hidden },
  ])
    for (const [part, gate] of gates.entries()) {
      if (gate === null) continue;
      for (let j = 0; j < hidden; j++) {
        const [row, first] = [part * hidden + j, gate * hidden + j];
        const begin = row * width + at;
        weight.set(from.subarray(first * columns, (first + 1) * columns), begin);
        mask.fill(1, begin, begin + columns);
        bias[row]! += fromBias?.[first] ?? 0;
      }
    }
  return packLinear({ weight, mask, bias: Float32Array.from(bias), inputs: width }, identityOrder(rows), identityOrder(width));
}

export class Recurrent {
  readonly type: CellType;
  readonly inputs: number;
  readonly hidden: number;
  /**
   * What has to be kept from step to step, all zeros before the first: features by name. The first one's first `inputs` features are the
   * step's input.
   */
  readonly states: Readonly<Record<string, number>>;
  readonly #layers: readonly PackedLinear[];

  /** @param layers shapes checked by the caller: layer 0 reads `inputs` features, the others `hidden`. */
  constructor(type: CellType, inputs: number, hidden: number, layers: readonly RecurrentWeights[]) {
    this.type = type;
    this.inputs = inputs;
    this.hidden = hidden;
    this.#layers = layers.map((weights, layer) => packLayer(type, weights, layer === 0 ? inputs : hidden, hidden));
    const states: Record<string, number> = {};
    for (const [layer, { inputs: width }] of this.#layers.entries()) {
      states[`input ${layer}`] = width;
      if (type === 'lstm') states[`cell ${layer}`] = hidden;
    }
    this.states = states;
  }

  /** Layers. */
  get depth(): number {
    return this.#layers.length;
  }

  /** The tensor that holds the input of layer `layer`, and after it the layer's hidden state. */
  memory(r: Recorder, layer = 0): TiledTensor {
    return r.state(`input ${layer}`, this.#layers[layer]!.inputs);
  }

  /**
   * Records one step: the input is in `memory(r)`; the hidden state of the last layer goes to the first `hidden` features of `output`
   * too. torch.nn gives it as row t of its output.
   */
  recordStep(r: Recorder, output: TiledTensor): void {
    const { type, hidden } = this;
    for (const [layer, packed] of this.#layers.entries()) {
      r.scope(`${type}[${layer}]`, () => {
        const memory = this.memory(r, layer);
        const gates = r.tiled(4 * hidden, 'gates');
        recordLinear(r, packed, memory, gates, { label: `${type} ${layer}` });
        const next = layer + 1 < this.depth ? this.memory(r, layer + 1) : output;
        const params = { hidden, memory_features: packed.inputs, memory_at: packed.inputs - hidden, output_features: next.features };
        if (type === 'lstm') {
          const cell = r.state(`cell ${layer}`, hidden);
          r.run(recurrentCell.lstm, { buffers: { gates, cell, memory, output: next }, params });
        } else r.run(recurrentCell.gru, { buffers: { gates, memory, output: next }, params });
      });
    }
  }
}

/** Names and shapes of a layer's tensors, as torch.nn spells them after the module's prefix. */
export function recurrentShapes(
  type: CellType,
  layer: number,
  inputs: number,
  hidden: number,
): Readonly<Record<keyof RecurrentWeights, readonly [name: string, shape: readonly number[]]>> {
  const rows = TORCH_GATES[type] * hidden;
  return {
    inputWeight: [`weight_ih_l${layer}`, [rows, inputs]],
    hiddenWeight: [`weight_hh_l${layer}`, [rows, hidden]],
    inputBias: [`bias_ih_l${layer}`, [rows]],
    hiddenBias: [`bias_hh_l${layer}`, [rows]],
  };
}
