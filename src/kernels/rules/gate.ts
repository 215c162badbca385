import { defineRule } from '../../runtime/derivative.js';
import { gate, gateSums } from '../gate-backward.js';

export const gateRule = /*#__PURE__*/ defineRule(gate, (r, { buffers: { x, table }, params, constants: { SHIFT = false } }, gradients) => {
  const dY = gradients.of('y');
  if (!dY) return;
  const dTable = gradients.intoTable('table');
  if (dTable) r.run(gateSums, { buffers: { x, d_y: dY, d_table: dTable }, params, constants: { SHIFT } });
  const { features, blocks, x_features, x_at, y_features, y_at } = params;
  const dX = gradients.into('x', features * blocks !== x_features);
  if (dX)
    r.run(gate, {
      buffers: { x: dY, table, y: dX.tensor },
      params: { ...params, x_features: y_features, x_at: y_at, y_features: x_features, y_at: x_at },
      constants: { ADD: dX.add },
    });
});
