// Every derivative rule, by its kernel.

import { activationRule } from '../kernels/rules/activation.js';
import { addTableRule } from '../kernels/rules/add-table.js';
import { affineRule } from '../kernels/rules/affine.js';
import { batchMomentsRule } from '../kernels/rules/batch-norm.js';
import { boxDensityRule } from '../kernels/rules/box-uniform.js';
import { classTableRule } from '../kernels/rules/class-table.js';
import { conv2dRule } from '../kernels/rules/conv2d.js';
import { determinantOrigin, determinantRule } from '../kernels/rules/determinant.js';
import {
  diagonalAffineRule,
  diagonalConstantsRule,
  diagonalEntriesRule,
  diagonalOrigin,
  entriesOrigin,
} from '../kernels/rules/diagonal-affine.js';
import { mixtureDensityRule, mixtureTableOrigin, mixtureTableRule } from '../kernels/rules/diagonal-mixture.js';
import { implicitRule, solveRules } from '../kernels/rules/implicit.js';
import { joinRule } from '../kernels/rules/join.js';
import { maskedLinearRule } from '../kernels/rules/masked-linear.js';
import { multiplyAddRule } from '../kernels/rules/multiply-add.js';
import { permuteRule } from '../kernels/rules/permute.js';
import { planarRule } from '../kernels/rules/planar.js';
import { radialRule } from '../kernels/rules/radial.js';
import { reflectionsOrigin, reflectionsRule } from '../kernels/rules/reflections.js';
import { rowSumRule } from '../kernels/rules/row-sum.js';
import { splineRule } from '../kernels/rules/spline.js';
import { logDensityRule } from '../kernels/rules/standard-normal.js';
import { sylvesterRule } from '../kernels/rules/sylvester.js';
import { targetRule } from '../kernels/rules/target.js';
import type { DerivativeRule } from '../runtime/derivative.js';
import { UnsupportedError } from '../runtime/errors.js';
import { kernelKey } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';

/** Origins of constants that are computed from parameters. */
export const origins = [determinantOrigin, diagonalOrigin, entriesOrigin, mixtureTableOrigin, reflectionsOrigin];

const rules = [
  activationRule,
  addTableRule,
  affineRule,
  batchMomentsRule,
  classTableRule,
  conv2dRule,
  determinantRule,
  diagonalAffineRule,
  diagonalConstantsRule,
  diagonalEntriesRule,
  boxDensityRule,
  implicitRule,
  ...solveRules,
  joinRule,
  logDensityRule,
  maskedLinearRule,
  mixtureDensityRule,
  mixtureTableRule,
  multiplyAddRule,
  permuteRule,
  planarRule,
  radialRule,
  reflectionsRule,
  rowSumRule,
  splineRule,
  sylvesterRule,
  targetRule,
];

/** @throws UnsupportedError for a fused kernel, which has none. */
export function ruleOf({ kernel, label }: Command): DerivativeRule {
  const key = kernelKey(kernel.source);
  const rule = rules.find((known) => known.kernel === key);
  if (!rule) throw new UnsupportedError(label, 'the derivative of this kernel');
  return rule;
}
