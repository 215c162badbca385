// What constants that are fused from parameters are made of, as kernels that have derivative rules.

import { gather } from '../flows/bijectors/permutation.js';
import { splitConstants } from '../flows/bijectors/split-constants.js';
import type { BasisParts } from '../flows/bijectors/sylvester.js';
import type { Norm } from '../flows/conditioner/conditioner.js';
import { identityOrder, type PackedLinear, packLinear, recordLinear } from '../flows/conditioner/packing.js';
import type { NormedStage } from '../flows/conditioner/parallel-plan.js';
import type { NormedSolve } from '../flows/conditioner/solve-plan.js';
import { householderColumns, transpose } from '../flows/linear-algebra.js';
import { startLogDet } from '../flows/task.js';
import { diagonalAffine } from '../kernels/diagonal-affine.js';
import { permute, ZERO } from '../kernels/permute.js';
import type { Command } from '../runtime/program.js';
import type { Recorder } from '../runtime/recorder.js';
import type { ConstantTensor, TiledTensor } from '../runtime/tensor.js';

export type Parts = NormedStage | BasisParts | NormedSolve;

/** Made once for each key, so that programs share constants. */
function once<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    let value = made.get(key);
    if (value === undefined) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
}

/** A norm as a map of its own. */
interface PlannedNorm {
  readonly constants: Float32Array<ArrayBuffer>;
  readonly origin: NonNullable<ConstantTensor['origin']>;
}

/** A stage with norms: what comes before the product, the product, and what comes after it. */
export const stageInParts = /*#__PURE__*/ once(({ stage, order, inputOrder }: NormedStage) => ({
  before: stage.folded ? planNorm(stage.folded.norm, inputOrder) : null,
  packed: packLinear({ ...stage, ...stage.folded, norm: null }, order, inputOrder),
  after: stage.norm && planNorm(stage.norm, order),
}));

function planNorm({ running, factor, weight, bias, scale }: Norm, order: Uint32Array<ArrayBuffer>): PlannedNorm {
  const ordered = (values: ArrayLike<number>) => Float32Array.from(order, (unit) => values[unit]!);
  const inputs = { center: ordered(running.mean), raw: ordered(weight), offset: ordered(factor), shift: ordered(bias) };
  const split = splitConstants(Float64Array.from(order, (unit) => scale[unit]!));
  return {
    constants: Float32Array.of(...inputs.center, ...split, ...inputs.shift),
    origin: { of: { kind: 'product', inputs, settings: {}, running: { ...running, order } }, table: 'constants' },
  };
}

export function recordNorm(
  r: Recorder,
  x: TiledTensor,
  { constants, origin }: PlannedNorm,
  y = r.tiled(x.features, 'normed'),
): TiledTensor {
  r.run(diagonalAffine, { buffers: { x, constants: r.constant(constants, 'norm', origin), y }, params: { features: x.features } });
  return y;
}

/** A layer that reads nothing: its bias, the same in every row. */
const packBias = /*#__PURE__*/ once((bias: Float32Array) =>
  packLinear({ weight: new Float32Array(bias.length), mask: new Uint8Array(bias.length), inputs: 1, bias }),
);

/** The parameters that all rows share as a set for each row. */
export function recordRowParameters(r: Recorder, raw: Float32Array): TiledTensor {
  const y = r.tiled(raw.length, 'parameters');
  recordLinear(r, packBias(raw), startLogDet(r), y, { label: 'parameters' });
  return y;
}

/** The square matrix of a basis, whose leading rows or columns count. */
const squareOf = /*#__PURE__*/ once(({ vectors, transposed, dim }: BasisParts): PackedLinear => {
  const lastFirst = vectors.map((_, at) => vectors[vectors.length - dim * (Math.floor(at / dim) + 1) + (at % dim)]!);
  const factors = Float32Array.from(transposed ? vectors : lastFirst); // of H_K … H_1, or H_1 … H_K
  const weight = Float32Array.from(transpose(householderColumns(factors, dim, dim), dim, dim));
  const of = { kind: 'reflections', inputs: { vectors: factors }, settings: { features: dim } };
  return { ...packLinear({ weight, inputs: dim }), origin: { of, table: 'weight' } };
});

/** y = Qᵀ x, or y = Q x + addend, with all of the reflections. */
export function recordBasis(r: Recorder, parts: BasisParts, { tensors }: Command): void {
  const { x, y, addend } = tensors as Record<string, TiledTensor>;
  const { dim, transposed } = parts;
  if (!transposed) {
    const padded = Uint32Array.from({ length: dim }, (_, f) => (f < x!.features ? f : ZERO));
    recordLinear(r, squareOf(parts), gather(r, x!, padded), y!, { label: 'reflections', addend: addend! });
    return;
  }
  const all = r.tiled(dim, 'reflected');
  recordLinear(r, squareOf(parts), x!, all, { label: 'reflections' });
  const index = r.constant(identityOrder(y!.features), 'leading');
  r.run(permute, { buffers: { x: all, index, y: y! }, params: { features: y!.features, source_features: dim } });
}
