import { defineRule, type Gradients } from '../../runtime/derivative.js';
import type { Buffers, Params } from '../../runtime/kernel.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { fill } from '../fill.js';
import { implicit } from '../implicit.js';
import { addProduct } from './accumulate.js';
import { recordContractionAdjoint } from './contraction.js';

type Source = (typeof implicit)['source'];

/** λ = J⁻ᵀ d for a J that is triangular in the order of the features. */
function recordTriangularAdjoint(
  r: Recorder,
  { log_slope }: Buffers<Source>,
  { features, steps }: Params<Source>,
  gradients: Gradients,
  d: TiledTensor,
): TiledTensor {
  const zero = r.tiled(features, 'zero');
  r.run(fill, { buffers: { destination: zero }, params: { features, value: 0 } });
  // λ + (d − w) e^−s is the map of the kernel itself, with λ for the value, d for the goal and w for the image.
  const adjusted = (lambda: TiledTensor, image: TiledTensor): TiledTensor => {
    const y = r.tiled(features, 'adjoint');
    r.run(implicit, { buffers: { value: lambda, goal: d, image, log_slope, y }, params: { features, steps } });
    return y;
  };
  let lambda = adjusted(zero, zero);
  for (let step = 1; step < steps; step++) lambda = adjusted(lambda, gradients.pullBack('image', 'value', lambda) ?? zero);
  return lambda;
}

export const implicitRule = /*#__PURE__*/ defineRule(implicit, (r, { buffers, params }, gradients) => {
  const dY = gradients.of('y');
  if (!dY) return;
  const lambda =
    params.steps > 0
      ? recordTriangularAdjoint(r, buffers, params, gradients, dY)
      : recordContractionAdjoint(r, gradients.writer('value'), gradients, dY);
  const [dGoal, dImage] = [gradients.into('goal'), gradients.into('image')];
  if (dGoal) addProduct(r, dGoal, lambda, null);
  if (dImage) addProduct(r, dImage, lambda, null, -1);
});

/** What a solve finds is differentiated where `implicit` takes it up. */
export const solveRules = [
  ...['affine', 'mixture', 'spline'].map((transformer) => `autoregressive-solve-${transformer}.autoregressive_solve_${transformer}`),
  'residual-solve.residual_solve',
].map((kernel) => defineRule(kernel, () => {}));
