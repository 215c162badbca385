import * as source from '../../src/kernels/generated/planar-backward.js';
import { movePlanar } from './planar.js';
import { runRowLayerBackward } from './row-layer.js';
import { defineTwin } from './twin.js';

export const planarBackward = defineTwin(source.planarBackward, ({ buffers, params: { features, negative_slope }, constants, rows }) => {
  const { LEAKY, UNDO, HAS_Y, HAS_LOG_DET } = constants;
  const given = { d_y: HAS_Y ? buffers.d_y : null, d_log_det: HAS_LOG_DET ? buffers.d_log_det : null };
  runRowLayerBackward({ ...buffers, ...given, rows, features, parameterFeatures: 2 * features + 1 }, UNDO, (undo) =>
    movePlanar({ LEAKY, UNDO: undo, negative_slope }),
  );
});
