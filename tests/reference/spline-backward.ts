import { PASSES } from '../../src/kernels/affine.js';
import * as source from '../../src/kernels/generated/spline-backward.js';
import { TAILS_NUMBER } from '../../src/kernels/spline.js';
import { TILE, tiled } from './layout.js';
import { moveSpline } from './move-spline.js';
import { defineTwin } from './twin.js';

/** Derivative at 0 by central differences, about 1e-8. A short step, since differences across a knot are none. */
function derivative(f: (step: number) => number): number {
  const h = 1e-7;
  return (f(h) - f(-h)) / (2 * h);
}

/** By differences of the spline's own twin: nothing of the shader's algebra is repeated here. */
export const splineBackward = defineTwin(source.splineBackward, ({ buffers, params, constants, rows }) => {
  const { x, parameters, slot, d_value, d_log_terms, d_source, d_parameters } = buffers;
  const { UNDO, HAS_Y, HAS_LOG_DET, SHARED, TAILS, LOW, HIGH } = constants;
  const { features, slots, parameter_features, gradient_features } = params;
  const count = gradient_features / slots;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      const dValue = HAS_Y ? d_value[at]! : 0;
      const j = slot[f]!;
      d_source[at] = dValue;
      if (j === PASSES) continue;
      const dLog = HAS_LOG_DET ? d_log_terms[tiled(slots, row) + j * TILE]! : 0;
      const own = Float64Array.from({ length: count }, (_, p) =>
        SHARED ? parameters[4 * (p * slots + j)]! : parameters[tiled(parameter_features, row) + (p * slots + j) * TILE]!,
      );
      const moved = (from: number, undo: boolean, given = own) => moveSpline({ ...constants, UNDO: undo }, from, (p) => given[p]!);
      // The kernel is given the output where the spline is undone.
      const from = UNDO ? moved(x[at]!, false)[0] : x[at]!;
      const outside = TAILS === TAILS_NUMBER.none && (x[at]! < LOW || x[at]! > HIGH);
      const adjoint = (step: number, given = own): number => {
        const [value, logDet] = moved(from + step, UNDO, given);
        return dValue * value + (dLog === 0 ? 0 : dLog * logDet);
      };
      d_source[at] = outside ? 0 : derivative((step) => adjoint(step));
      for (let p = 0; p < count; p++)
        d_parameters[tiled(gradient_features, row) + (p * slots + j) * TILE] = outside
          ? 0
          : derivative((step) => {
              const other = own.slice();
              other[p]! += step;
              return adjoint(0, other);
            });
    }
});
