import * as source from '../../src/kernels/generated/radial-backward.js';
import { moveRadial } from './radial.js';
import { runRowLayerBackward } from './row-layer.js';
import { defineTwin } from './twin.js';

export const radialBackward = defineTwin(source.radialBackward, ({ buffers, params: { features }, constants, rows }) => {
  const { ALPHA_SOFTPLUS, UNDO, HAS_Y, HAS_LOG_DET } = constants;
  const given = { d_y: HAS_Y ? buffers.d_y : null, d_log_det: HAS_LOG_DET ? buffers.d_log_det : null };
  runRowLayerBackward({ ...buffers, ...given, rows, features, parameterFeatures: features + 2 }, UNDO, (undo) =>
    moveRadial({ ALPHA_SOFTPLUS, UNDO: undo }),
  );
});
