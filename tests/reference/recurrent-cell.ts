import * as source from '../../src/kernels/generated/recurrent-cell.js';
import { TILE, tiled } from './layout.js';
import { sigmoid } from './math.js';
import { defineTwin } from './twin.js';

export const lstm = defineTwin(source.lstm, ({ buffers: { gates, cell, memory, output }, params, rows }) => {
  const { hidden } = params;
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < hidden; j++) {
      const gate = (k: number) => gates[tiled(4 * hidden, row) + (k * hidden + j) * TILE]!;
      const at = tiled(hidden, row) + j * TILE;
      const c = sigmoid(gate(1)) * cell[at]! + sigmoid(gate(0)) * Math.tanh(gate(2));
      const h = sigmoid(gate(3)) * Math.tanh(c);
      cell[at] = c;
      memory[tiled(params.memory_features, row) + (params.memory_at + j) * TILE] = h;
      output[tiled(params.output_features, row) + j * TILE] = h;
    }
});

export const gru = defineTwin(source.gru, ({ buffers: { gates, memory, output }, params, rows }) => {
  const { hidden } = params;
  for (let row = 0; row < rows; row++)
    for (let j = 0; j < hidden; j++) {
      const gate = (k: number) => gates[tiled(4 * hidden, row) + (k * hidden + j) * TILE]!;
      const at = tiled(params.memory_features, row) + (params.memory_at + j) * TILE;
      const t = Math.tanh(gate(2) + sigmoid(gate(0)) * gate(3));
      const h = t + sigmoid(gate(1)) * (memory[at]! - t);
      memory[at] = h;
      output[tiled(params.output_features, row) + j * TILE] = h;
    }
});
