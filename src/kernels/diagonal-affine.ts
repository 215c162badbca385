import { defineRule } from '../runtime/derivative.js';
import { accumulate } from './accumulate.js';
import * as source from './generated/diagonal-affine.js';
import { featureKernel } from './geometry.js';

const linearParts = new WeakMap<Float32Array | Uint32Array, Float32Array<ArrayBuffer>>();

/** The constants of x ↦ factor · x. */
function linearPart(constants: Float32Array | Uint32Array, features: number): Float32Array<ArrayBuffer> {
  let part = linearParts.get(constants);
  if (!part) {
    part = Float32Array.from(constants);
    part.fill(0, 0, features);
    part.fill(0, 3 * features);
    linearParts.set(constants, part);
  }
  return part;
}

export const diagonalAffine = /*#__PURE__*/ featureKernel(source.diagonalAffine);

export const diagonalAffineRule = /*#__PURE__*/ defineRule(
  diagonalAffine,
  (r, { buffers: { constants }, params: { features } }, gradients) => {
    const [dY, dX] = [gradients.of('y'), gradients.into('x')];
    if (!dY || !dX) return;
    if (constants.kind !== 'constant') throw new TypeError(`${r.place}: only constant factors have a derivative rule`);
    const factor = r.constant(linearPart(constants.data, features), 'factor');
    accumulate(r, dX, (y) =>
      r.run(diagonalAffine, {
        buffers: { x: dY, constants: factor, y, log_det: r.tiled(1, 'unused') },
        params: { features, log_abs_det: 0 },
        constants: { HAS_LOG_DET: false },
      }),
    );
  },
);
