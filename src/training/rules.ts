// Every derivative rule, by its kernel.

import { activationRule } from '../kernels/rules/activation.js';
import { addTableRule } from '../kernels/rules/add-table.js';
import { affineRule } from '../kernels/rules/affine.js';
import { boxDensityRule } from '../kernels/rules/box-uniform.js';
import {
  diagonalAffineRule,
  diagonalConstantsRule,
  diagonalEntriesRule,
  diagonalOrigin,
  entriesOrigin,
} from '../kernels/rules/diagonal-affine.js';
import { gateRule } from '../kernels/rules/gate.js';
import { implicitRule, solveRules } from '../kernels/rules/implicit.js';
import { logDeterminantRule } from '../kernels/rules/log-determinant.js';
import { maskedLinearRule } from '../kernels/rules/masked-linear.js';
import { multiplyAddRule } from '../kernels/rules/multiply-add.js';
import { permuteRule } from '../kernels/rules/permute.js';
import { rowSumRule } from '../kernels/rules/row-sum.js';
import { advanceRule } from '../kernels/rules/runge-kutta.js';
import { spectralNormOrigin, spectralNormRule } from '../kernels/rules/spectral-norm.js';
import { splineRule } from '../kernels/rules/spline.js';
import { logDensityRule } from '../kernels/rules/standard-normal.js';
import { probeSumRule, scaleTangentsRule } from '../kernels/rules/tangents.js';
import { timeTableOrigin, timeTableRule } from '../kernels/rules/time-table.js';
import type { DerivativeRule } from '../runtime/derivative.js';
import { UnsupportedError } from '../runtime/errors.js';
import { kernelKey } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';

/** Origins of constants that are computed from parameters. */
export const origins = [diagonalOrigin, entriesOrigin, spectralNormOrigin, timeTableOrigin];

const rules = [
  activationRule,
  addTableRule,
  advanceRule,
  affineRule,
  diagonalAffineRule,
  diagonalConstantsRule,
  diagonalEntriesRule,
  boxDensityRule,
  gateRule,
  implicitRule,
  ...solveRules,
  logDensityRule,
  logDeterminantRule,
  maskedLinearRule,
  multiplyAddRule,
  permuteRule,
  probeSumRule,
  rowSumRule,
  scaleTangentsRule,
  spectralNormRule,
  splineRule,
  timeTableRule,
];

/**
 * @param passive whether the command reads nothing that a gradient goes to. Then a rule is not needed: it wrote a constant or a source.
 * @throws UnsupportedError for a kernel that has none: a fused one.
 */
export function ruleOf({ kernel, label }: Command, passive: boolean): DerivativeRule | null {
  const key = kernelKey(kernel.source);
  const rule = rules.find((known) => known.kernel === key);
  if (!rule && !passive) throw new UnsupportedError(label, 'the derivative of this kernel');
  return rule ?? null;
}
