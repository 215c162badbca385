// Variants of kernels, on the cases of the kernel whose variants they are: those that differ in shape. What follows a sum is one function for all
// of a family (shaders/lib/masked-linear.wgsl), so that nothing of it and all of it will do, and one activation.

import { packHalves, toHalf } from '../../src/format/half.js';
import { quadLinear } from '../../src/kernels/quad-linear.js';
import type { Kernel } from '../../src/runtime/kernel.js';
import { familyName } from '../../src/tuning/family-name.js';
import { halfKernels } from '../../src/tuning/halves.js';
import { packForQuads } from '../../src/tuning/quad-layers.js';
import { families } from '../../src/tuning/variants.js';
import { halfToNumber } from '../reference/halves.js';
import { autoregressiveSolveAffineCases } from './autoregressive-solve-affine.js';
import { autoregressiveSolveMixtureCases } from './autoregressive-solve-mixture.js';
import { autoregressiveSolveSplineCases } from './autoregressive-solve-spline.js';
import type { BufferSpec, KernelCase, KernelCases } from './case.js';
import { weightGradientCases } from './linear-backward.js';
import { linearInputCases } from './linear-input-backward.js';
import { maskedLinearCases } from './masked-linear.js';

const RELU = 1;
const FLAGS = ['GATE', 'ADDEND', 'RAW', 'SCALE'];
const solves = [autoregressiveSolveAffineCases, autoregressiveSolveMixtureCases, autoregressiveSolveSplineCases];
const bases = [maskedLinearCases, linearInputCases, weightGradientCases, ...solves];

/** What a solve's net and its list of tasks need; the other constants are the transformer's. */
const OF_NET = ['GENERAL', 'PANELS', 'HAS_LOG_DET'];

/** Those that differ in shape: of a solve, with the transformer of the first. */
function chosen(table: KernelCases): readonly KernelCase[] {
  if (!solves.some(({ kernel }) => familyName(kernel) === familyName(table.kernel)))
    return table.cases.filter(({ constants = {} }) => {
      const values = constants as Readonly<Record<string, number | boolean>>;
      return Number(values.ACTIVATION ?? 0) <= RELU && [0, FLAGS.length].includes(FLAGS.filter((flag) => values[flag]).length);
    });
  const transformer = ({ constants = {} }: KernelCase) =>
    JSON.stringify(Object.entries(constants).filter(([name]) => !OF_NET.includes(name)));
  const [first] = table.cases;
  return table.cases.filter((entry) => transformer(entry) === transformer(first!));
}

const tableOf = (name: string, tables: readonly KernelCases[]): KernelCases => {
  const table = tables.find(({ kernel }) => familyName(kernel) === name);
  if (!table) throw new Error(`no cases of ${name}`);
  return table;
};

/** The weights in float16, rounded; what would be subnormal is 0. */
const halved = (weight: BufferSpec): BufferSpec => ({
  ...weight,
  unsigned: (words) => words.map((word) => word & 0x7fff7fff),
  make: (random, rows) =>
    packHalves(Float32Array.from(weight.make(random, rows), (value) => (Math.abs(value) < 2 ** -14 ? 0 : halfToNumber(toHalf(value)))))!,
});

/** Kernels with weights in float16, on the cases of those with float32 that have the constants of the first: what they differ in is one function. */
export const halfCases = Object.entries(halfKernels).map(([name, kernel]): KernelCases => {
  const all = chosen(tableOf(name, bases));
  const first = JSON.stringify(all[0]!.constants);
  const cases = all
    .filter(({ constants }) => JSON.stringify(constants) === first)
    .map((entry) => ({
      ...entry,
      buffers: { ...entry.buffers, weight: halved((entry.buffers as Record<string, BufferSpec>).weight!) },
    }));
  return { kernel, cases };
});

/** What a case of a linear layer is with weights that are packed for quads. */
const forQuads = (entry: KernelCase): KernelCase => {
  const { inputs, outputs } = entry.params as Readonly<Record<string, number>>;
  const { weight } = entry.buffers as Record<string, BufferSpec>;
  const make: BufferSpec['make'] = (random, rows) => packForQuads(weight!.make(random, rows) as Float32Array, inputs!, outputs!);
  return { ...entry, buffers: { ...entry.buffers, weight: { ...weight!, make } } };
};

/** Those of a plain layer: what follows a sum is as in the variants. */
export const quadLinearCases: KernelCases = {
  kernel: quadLinear as unknown as Kernel,
  cases: chosen(maskedLinearCases)
    .filter(({ constants = {} }) => !Object.values(constants).some(Boolean))
    .map(forQuads),
};

const casesOf = (name: string, variant: Kernel): KernelCases => ({
  kernel: variant,
  cases: chosen(tableOf(name, [...bases, ...halfCases])),
});

export const variantCases = Object.entries(families).flatMap(([name, { few }]) => few.map((variant) => casesOf(name, variant)));
