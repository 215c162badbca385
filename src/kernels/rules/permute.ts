import { defineRule } from '../../runtime/derivative.js';
import { permute, ZERO } from '../permute.js';
import { accumulate } from './accumulate.js';

const inverses = new WeakMap<Float32Array | Uint32Array, Uint32Array<ArrayBuffer>[]>();

/** Indices that gather back: pass k holds, for each source feature, its k-th reader. */
function inversesOf(index: Float32Array | Uint32Array, features: number, sources: number): Uint32Array<ArrayBuffer>[] {
  let passes = inverses.get(index);
  if (!passes) {
    passes = [new Uint32Array(sources).fill(ZERO)];
    for (let f = 0; f < features; f++) {
      const from = index[f]!;
      if (from === ZERO) continue;
      let pass = passes.find((taken) => taken[from] === ZERO);
      if (!pass) {
        pass = new Uint32Array(sources).fill(ZERO);
        passes.push(pass);
      }
      pass[from] = f;
    }
    inverses.set(index, passes);
  }
  return passes;
}

export const permuteRule = /*#__PURE__*/ defineRule(permute, (r, { buffers: { index }, params }, gradients) => {
  const [dY, dX] = [gradients.of('y'), gradients.into('x')];
  if (!dY || !dX) return;
  if (index.kind !== 'constant') throw new TypeError(`${r.place}: only a constant permutation has a derivative rule`);
  for (const [pass, back] of inversesOf(index.data, params.features, params.source_features).entries())
    accumulate(r, { tensor: dX.tensor, add: dX.add || pass > 0 }, (y) =>
      r.run(permute, {
        buffers: { x: dY, index: r.constant(back, 'inverse order'), y },
        params: { features: params.source_features, source_features: params.features },
      }),
    );
});
