import { defineRule, type Gradients } from '../../runtime/derivative.js';
import type { Recorder } from '../../runtime/recorder.js';
import { permute } from '../permute.js';
import { PARTIAL_SUM, type partialSums, type rowSum } from '../row-sum.js';
import { accumulate } from './accumulate.js';

/** Every term gets the gradient of the sum that it went into. @param terms of one sum. */
function spread(r: Recorder, gradients: Gradients, sums: string, features: number, terms: number): void {
  const [dSums, dTerms] = [gradients.of(sums), gradients.into('terms')];
  if (!dSums || !dTerms) return;
  const index = r.constant(
    Uint32Array.from({ length: features }, (_, f) => f / terms),
    'sum of each term',
  );
  accumulate(r, dTerms, (y) => r.run(permute, { buffers: { x: dSums, index, y }, params: { features, source_features: dSums.features } }));
}

export const rowSumRule = /*#__PURE__*/ defineRule<(typeof rowSum)['source']>('row-sum.row_sum', (r, { params: { features } }, gradients) =>
  spread(r, gradients, 'total', features, features),
);

export const partialSumsRule = /*#__PURE__*/ defineRule<(typeof partialSums)['source']>(
  'row-sum.partial_sums',
  (r, { params: { features } }, gradients) => spread(r, gradients, 'partials', features, PARTIAL_SUM),
);
