import { defineRule } from '../../runtime/derivative.js';
import type { sylvester } from '../sylvester.js';
import { sylvesterBackward } from '../sylvester-backward.js';
import { addProduct } from './accumulate.js';
import { recordRowLayer } from './row-layer.js';

export const sylvesterRule = /*#__PURE__*/ defineRule<(typeof sylvester)['source']>(
  'sylvester.sylvester',
  (r, { buffers, params: { units }, constants }, gradients) => {
    const { source, parameters, moved, hidden } = buffers;
    const { UNDO = false } = constants;
    // With a basis what leaves is the change alone, moved − source.
    const [dMoved, dChange] = [gradients.of('moved'), gradients.of('change')];
    if (dMoved && dChange) throw new TypeError(`${r.place}: either what leaves is used or the change`);
    recordRowLayer(
      r,
      gradients,
      dMoved ?? dChange,
      { input: 'source', features: units, parameters },
      (seeds, d_source, d_parameters, flags) => {
        r.run(sylvesterBackward, {
          buffers: {
            y: UNDO ? moved : source,
            hidden,
            parameters,
            d_moved: seeds.output,
            d_log_det: seeds.d_log_det,
            d_source,
            d_parameters,
          },
          params: { units },
          constants: { UNDO, ...flags },
        });
        if (dChange) addProduct(r, { tensor: d_source, add: true }, dChange, null, -1);
      },
    );
  },
);
