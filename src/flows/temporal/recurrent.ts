// A stack of LSTM or GRU layers, one step at a time, with weights as torch.nn.LSTM and torch.nn.GRU hold them. A layer is one product and
// one elementwise kernel: its input and its last hidden state lie side by side in one tensor, so that both projections are one
// masked-linear over four gates. docs/flows/temporal.md has the equations.

import { type CellType, recurrentCell, TORCH_GATES } from '../../kernels/recurrent-cell.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { identityOrder, type LinearSource, type PackedLinear, packLinear, recordLinear } from '../conditioner/packing.js';

/** Tensors of one layer: weights [gates · H, inputs] and [gates · H, H], biases [gates · H] or null. */
export interface RecurrentWeights {
  readonly inputWeight: Float32Array;
  readonly hiddenWeight: Float32Array;
  readonly inputBias: Float32Array | null;
  readonly hiddenBias: Float32Array | null;
}

/** Gate of torch's that each of the kernel's four reads from the input, and from the hidden state; null: none. */
const PARTS = {
  lstm: [
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
  ],
  gru: [
    [0, 0],
    [1, 1],
    [2, null],
    [null, 2],
  ],
} as const satisfies Record<CellType, readonly (readonly [number | null, number | null])[]>;

function packLayer(type: CellType, weights: RecurrentWeights, inputs: number, hidden: number): PackedLinear {
  const width = inputs + hidden;
  const source = {
    weight: new Float32Array(4 * hidden * width),
    mask: new Uint8Array(4 * hidden * width),
    bias: new Float32Array(4 * hidden),
    inputs: width,
  } satisfies LinearSource;
  for (const [part, [fromInput, fromHidden]] of PARTS[type].entries()) {
    for (let j = 0; j < hidden; j++) {
      const row = part * hidden + j;
      let bias = 0;
      const take = (gate: number | null, from: Float32Array, fromBias: Float32Array | null, columns: number, at: number) => {
        if (gate === null) return;
        const first = gate * hidden + j;
        source.weight.set(from.subarray(first * columns, (first + 1) * columns), row * width + at);
        source.mask.fill(1, row * width + at, row * width + at + columns);
        bias += fromBias?.[first] ?? 0;
      };
      take(fromInput, weights.inputWeight, weights.inputBias, inputs, 0);
      take(fromHidden, weights.hiddenWeight, weights.hiddenBias, hidden, inputs);
      source.bias[row] = bias; // the two biases are added in float64 and rounded once
    }
  }
  return packLinear(source, identityOrder(4 * hidden), identityOrder(width));
}

export interface StateShape {
  readonly name: string;
  readonly features: number;
}

export class Recurrent {
  readonly type: CellType;
  readonly inputs: number;
  readonly hidden: number;
  /** What has to be kept from step to step, all zeros before the first. The first one's first `inputs` features are the step's input. */
  readonly states: readonly StateShape[];
  readonly #layers: readonly PackedLinear[];

  /** @param layers shapes checked by the caller: layer 0 reads `inputs` features, the others `hidden`. */
  constructor(type: CellType, inputs: number, hidden: number, layers: readonly RecurrentWeights[]) {
    this.type = type;
    this.inputs = inputs;
    this.hidden = hidden;
    this.#layers = layers.map((weights, layer) => packLayer(type, weights, layer === 0 ? inputs : hidden, hidden));
    this.states = this.#layers.flatMap(({ inputs: width }, layer) => [
      { name: `input ${layer}`, features: width },
      ...(type === 'lstm' ? [{ name: `cell ${layer}`, features: hidden }] : []),
    ]);
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
