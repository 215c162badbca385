import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/recurrent-cell.js';
import { perRowGroupAndFeature } from './geometry.js';

/** Gates of each kind of cell, as torch.nn stacks them: i, f, g, o and r, z, n. */
export const TORCH_GATES = { lstm: 4, gru: 3 } as const;

export type CellType = keyof typeof TORCH_GATES;

export const recurrentCell = {
  lstm: /*#__PURE__*/ defineKernel(source.lstm, (rows, { hidden }) => perRowGroupAndFeature(source.lstm, rows, hidden)),
  gru: /*#__PURE__*/ defineKernel(source.gru, (rows, { hidden }) => perRowGroupAndFeature(source.gru, rows, hidden)),
};
