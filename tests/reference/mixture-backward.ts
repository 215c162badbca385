import { PASSES } from '../../src/kernels/affine.js';
import * as source from '../../src/kernels/generated/mixture-backward.js';
import { differences } from './differences.js';
import { TILE, tiled } from './layout.js';
import { invertMixture, mixtureAt, normalise } from './mixture.js';
import { defineTwin } from './twin.js';

/** Mixtures are smooth, and their tails known to 4e-14. */
const STEP = 1e-5;

/** By differences of the transformer's own twin. */
export const mixtureBackward = defineTwin(source.mixtureBackward, ({ buffers, params, constants, rows }) => {
  const { x, state, slot, d_value, d_log_terms, d_source, d_state } = buffers;
  const { features, slots } = params;
  const { COMPONENTS, EPS, INVERSE, HAS_Y, HAS_LOG_DET } = constants;
  for (let row = 0; row < rows; row++)
    for (let f = 0; f < features; f++) {
      const at = tiled(features, row) + f * TILE;
      const given = HAS_Y ? d_value[at]! : 0;
      const j = slot[f]!;
      d_source[at] = given;
      if (j === PASSES) continue;
      const dLog = HAS_LOG_DET ? d_log_terms[tiled(slots, row) + j * TILE]! : 0;
      const place = (index: number) => tiled(3 * COMPONENTS * slots, row) + (index * slots + j) * TILE;
      // Logits, means and s again, of log π, μ and 1 / σ.
      const own = Float64Array.from({ length: 3 * COMPONENTS }, (_, index) => {
        const value = state[place(index)]!;
        return index < 2 * COMPONENTS ? value : Math.log(Math.expm1(1 / value - EPS));
      });
      const componentsOf = (parameters: Float64Array) =>
        normalise(
          constants,
          (index) => parameters[index]!,
          () => {},
        );
      const move = INVERSE ? invertMixture : mixtureAt;
      const by = (from: number, parameters: Float64Array): number => {
        const [value, logDet] = move(componentsOf(parameters), from);
        return given * value + dLog * logDet;
      };
      const from = INVERSE ? mixtureAt(componentsOf(own), x[at]!)[0] : x[at]!;
      d_source[at] = differences((moved) => by(moved[0]!, own), [from], STEP)[0]!;
      for (const [index, slope] of differences((moved) => by(from, moved), own, STEP).entries()) d_state[place(index)] = slope;
    }
});
