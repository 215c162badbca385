// The flows as one writes them in a library of tensors. Names of weights: `<layer>.<index>.weight` [inputs, outputs], masks multiplied in, and
// `<layer>.<index>.bias` [1, outputs].

import type { Graph, Ops } from './ops.js';

type Weights<T> = Readonly<Record<string, T>>;

/** ReLU between linear layers. */
function network<T>(ops: Ops<T>, x: T, weights: Weights<T>, layer: number): T {
  let h = x;
  for (let index = 0; `${layer}.${index}.weight` in weights; index++)
    h = ops.add(ops.matmul(index === 0 ? h : ops.relu(h), weights[`${layer}.${index}.weight`]!), weights[`${layer}.${index}.bias`]!);
  return h;
}

const halves = <T>(ops: Ops<T>, x: T): [T, T] => {
  const width = ops.shapeOf(x).at(-1)!;
  return [ops.slice(x, 0, width / 2), ops.slice(x, width / 2, width)];
};

/** x W + b. */
export const linear: Graph = (ops, x, _, weights) => network(ops, x, weights, 0);

/** log p(x) of one layer, z = (x − mu) e^−s with (mu, s) of a masked network. */
export const mafDensity: Graph = (ops, x, _, weights) => {
  const [mu, s] = halves(ops, network(ops, x, weights, 0));
  const z = ops.mul(ops.sub(x, mu), ops.exp(ops.sub(ops.number(0), s)));
  const terms = ops.add(ops.mul(ops.mul(z, z), ops.number(-0.5)), ops.sub(ops.number(-0.5 * Math.log(2 * Math.PI)), s));
  return ops.sum(terms);
};

/** x = z e^s + mu with (mu, s) of the x before: after as many passes as features all of them are right, one more with each. */
export const mafPass: Graph = (ops, x, z, weights) => {
  const [mu, s] = halves(ops, network(ops, x, weights, 0));
  return ops.add(ops.mul(z, ops.exp(s)), mu);
};

/** Layers from the last to the first; the halves of a row exchange their parts. `move` makes of the moved half and the network's output the half before. */
function couplings<T>(ops: Ops<T>, z: T, weights: Weights<T>, layers: number, move: (y: T, out: T) => T): T {
  const parts = halves(ops, z);
  for (let layer = layers - 1; layer >= 0; layer--) {
    const passing = layer % 2;
    parts[1 - passing] = move(parts[1 - passing]!, network(ops, parts[passing]!, weights, layer));
  }
  return ops.concat(parts);
}

/** x = (z − shift) e^(−2 tanh u), with (shift, u) of the half that passes. */
export const affineCouplings =
  (layers: number): Graph =>
  (ops, z, _, weights) =>
    couplings(ops, z, weights, layers, (y, out) => {
      const [shift, u] = halves(ops, out);
      return ops.mul(ops.sub(y, shift), ops.exp(ops.mul(ops.tanh(u), ops.number(-2))));
    });

export interface SplineShape {
  readonly bins: number;
  readonly bound: number;
  readonly least: number;
}

/**
 * The inverse of monotone rational-quadratic splines (Durkan et al. 2019, arXiv:1906.04032, section 3.1), identity outside ±bound. A bin is
 * found by comparing with all knots and picked by a product with 0 and 1, as is usual where a library gathers slowly. `weights.below` is
 * the strictly upper triangle of ones, [K, K].
 */
export const splineCouplings =
  (layers: number, { bins, bound, least }: SplineShape): Graph =>
  <T>(ops: Ops<T>, z: T, _: T, weights: Weights<T>) => {
    const one = ops.number(1);
    /** Left ends and sizes of the bins, [rows, d, K]. */
    const bin = (raw: T) => {
      const sizes = ops.mul(ops.add(ops.mul(ops.softmax(raw), ops.number(1 - least * bins)), ops.number(least)), ops.number(2 * bound));
      const [rows, d] = ops.shapeOf(raw) as [number, number, number];
      const sum = ops.matmul(ops.reshape(sizes, [rows * d, bins]), weights.below!);
      return { left: ops.sub(ops.reshape(sum, [rows, d, bins]), ops.number(bound)), size: sizes };
    };
    const move = (moving: T, out: T): T => {
      const [rows, d] = ops.shapeOf(moving) as [number, number];
      const raw = ops.reshape(out, [rows, d, 3 * bins - 1]);
      const x = bin(ops.slice(raw, 0, bins));
      const y = bin(ops.slice(raw, bins, 2 * bins));
      const inner = ops.add(ops.softplus(ops.slice(raw, 2 * bins, 3 * bins - 1)), ops.number(least));
      const end = ops.add(ops.mul(ops.slice(inner, 0, 1), ops.number(0)), one);
      const value = ops.reshape(moving, [rows, d, 1]);
      const inBin = ops.sub(ops.less(value, ops.add(y.left, y.size)), ops.less(value, y.left));
      const inside = ops.sum(inBin);
      const outside = ops.sub(one, inside);
      const pick = (values: T) => ops.sum(ops.mul(inBin, values));
      // Outside, sizes and slopes are 1 and the result counts for nothing.
      const w = ops.add(pick(x.size), outside);
      const h = ops.add(pick(y.size), outside);
      const slope = ops.div(h, w);
      const d0 = ops.add(pick(ops.concat([end, inner])), outside);
      const d1 = ops.add(pick(ops.concat([inner, end])), outside);
      const above = ops.mul(inside, ops.sub(value, pick(y.left)));
      const bend = ops.sub(ops.add(d0, d1), ops.mul(slope, ops.number(2)));
      const a = ops.add(ops.mul(above, bend), ops.mul(h, ops.sub(slope, d0)));
      const b = ops.sub(ops.mul(h, d0), ops.mul(above, bend));
      const c = ops.mul(slope, above); // of a ξ² + b ξ − c = 0
      const root = ops.div(ops.mul(c, ops.number(2)), ops.add(b, ops.sqrt(ops.add(ops.mul(b, b), ops.mul(ops.mul(a, c), ops.number(4))))));
      const inverse = ops.add(ops.mul(root, w), pick(x.left));
      return ops.reshape(ops.add(ops.mul(inside, inverse), ops.mul(outside, value)), [rows, d]);
    };
    return couplings(ops, z, weights, layers, move);
  };
