import * as source from './generated/recurrent-cell.js';
import { featureKernel } from './geometry.js';

/** Gates of each kind of cell, as torch.nn stacks them: i, f, g, o and r, z, n. */
export const TORCH_GATES = { lstm: 4, gru: 3 } as const;

export type CellType = keyof typeof TORCH_GATES;

export const recurrentCell = {
  lstm: /*#__PURE__*/ featureKernel(source.lstm, ({ hidden }) => hidden),
  gru: /*#__PURE__*/ featureKernel(source.gru, ({ hidden }) => hidden),
};
