import * as source from '../../src/kernels/generated/sylvester-backward.js';
import { runRowLayerBackward } from './row-layer.js';
import { moveSylvester } from './sylvester.js';
import { defineTwin } from './twin.js';

/** The values of the hidden units are found again. */
export const sylvesterBackward = defineTwin(source.sylvesterBackward, ({ buffers, params: { units }, constants, rows }) => {
  const { UNDO, HAS_Y, HAS_LOG_DET } = constants;
  const { y, parameters, d_moved, d_log_det, d_source, d_parameters } = buffers;
  runRowLayerBackward(
    {
      rows,
      features: units,
      z: y,
      parameters,
      parameterFeatures: units * (units + 2),
      d_y: HAS_Y ? d_moved : null,
      d_log_det: HAS_LOG_DET ? d_log_det : null,
      d_x: d_source,
      d_parameters,
    },
    UNDO,
    (undo) => moveSylvester({ PER_ROW: true, UNDO: undo }),
  );
});
