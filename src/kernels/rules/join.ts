import { defineRule } from '../../runtime/derivative.js';
import type { join } from '../join.js';
import { permute, ZERO } from '../permute.js';
import { accumulate } from './accumulate.js';

export const joinRule = /*#__PURE__*/ defineRule<(typeof join)['source']>('join.join', (r, { params }, gradients) => {
  const { features, leading_features, whole_features, shift } = params;
  const dY = gradients.of('y');
  if (!dY) return;
  const pass = (name: string, index: Uint32Array<ArrayBuffer>) => {
    const target = gradients.into(name);
    if (!target) return;
    accumulate(r, target, (y) =>
      r.run(permute, {
        buffers: { x: dY, index: r.constant(index, 'joined'), y },
        params: { features: index.length, source_features: features },
      }),
    );
  };
  pass(
    'leading',
    Uint32Array.from({ length: leading_features }, (_, f) => f),
  );
  // What the part in front hides of the other has no gradient.
  pass(
    'whole_tensor',
    Uint32Array.from({ length: whole_features }, (_, at) => (at + shift >= leading_features && at + shift < features ? at + shift : ZERO)),
  );
});
