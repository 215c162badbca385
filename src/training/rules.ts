// Every derivative rule, by its kernel.

import { activationRule } from '../kernels/rules/activation.js';
import { addTableRule } from '../kernels/rules/add-table.js';
import { affineRule } from '../kernels/rules/affine.js';
import { batchMomentsRule } from '../kernels/rules/batch-norm.js';
import { bernoulliRule } from '../kernels/rules/bernoulli.js';
import { boundedRule, logitRule, supportOrigin, supportTableRule } from '../kernels/rules/bounded.js';
import { boxDensityRule } from '../kernels/rules/box-uniform.js';
import { channelInverseOrigin, channelMatrixOrigin, channelMatrixRule } from '../kernels/rules/channel-matrix.js';
import { classTableRule } from '../kernels/rules/class-table.js';
import { conv2dRule } from '../kernels/rules/conv2d.js';
import { determinantOrigin, determinantRule } from '../kernels/rules/determinant.js';
import {
  diagonalAffineRule,
  diagonalConstantsRule,
  diagonalEntriesRule,
  diagonalOrigin,
  diagonalProductRule,
  entriesOrigin,
  productOrigin,
  substitutionOrigins,
} from '../kernels/rules/diagonal-affine.js';
import { mixtureDensityRule, mixtureTableOrigin, mixtureTableRule } from '../kernels/rules/diagonal-mixture.js';
import { gateRule } from '../kernels/rules/gate.js';
import { implicitRule, solveRules } from '../kernels/rules/implicit.js';
import { joinRule } from '../kernels/rules/join.js';
import { logDeterminantRule } from '../kernels/rules/log-determinant.js';
import { maskedLinearRule } from '../kernels/rules/masked-linear.js';
import { mixtureRule } from '../kernels/rules/mixture.js';
import { multiplyAddRule } from '../kernels/rules/multiply-add.js';
import { permuteRule } from '../kernels/rules/permute.js';
import { planarRule } from '../kernels/rules/planar.js';
import { productsOrigin } from '../kernels/rules/products.js';
import { radialRule } from '../kernels/rules/radial.js';
import { reflectionsOrigin, reflectionsRule } from '../kernels/rules/reflections.js';
import { partialSumsRule, rowSumRule } from '../kernels/rules/row-sum.js';
import { advanceRule } from '../kernels/rules/runge-kutta.js';
import { spectralNormOrigin, spectralNormRule } from '../kernels/rules/spectral-norm.js';
import { splineRule } from '../kernels/rules/spline.js';
import { logDensityRule } from '../kernels/rules/standard-normal.js';
import { sylvesterRule } from '../kernels/rules/sylvester.js';
import { probeSumRule, scaleTangentsRule } from '../kernels/rules/tangents.js';
import { targetRule } from '../kernels/rules/target.js';
import { timeTableOrigin, timeTableRule } from '../kernels/rules/time-table.js';
import type { DerivativeRule } from '../runtime/derivative.js';
import { UnsupportedError } from '../runtime/errors.js';
import { kernelKey } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';

/** Origins of constants that are computed from parameters. */
export const origins = [
  channelInverseOrigin,
  channelMatrixOrigin,
  determinantOrigin,
  diagonalOrigin,
  entriesOrigin,
  mixtureTableOrigin,
  productOrigin,
  productsOrigin,
  reflectionsOrigin,
  spectralNormOrigin,
  supportOrigin,
  timeTableOrigin,
  ...substitutionOrigins,
];

const rules: readonly DerivativeRule[] = [
  activationRule,
  addTableRule,
  advanceRule,
  affineRule,
  batchMomentsRule,
  bernoulliRule,
  channelMatrixRule,
  classTableRule,
  conv2dRule,
  determinantRule,
  diagonalAffineRule,
  diagonalConstantsRule,
  diagonalEntriesRule,
  diagonalProductRule,
  boundedRule,
  boxDensityRule,
  gateRule,
  implicitRule,
  ...solveRules,
  joinRule,
  logDensityRule,
  logitRule,
  logDeterminantRule,
  maskedLinearRule,
  mixtureDensityRule,
  mixtureRule,
  mixtureTableRule,
  multiplyAddRule,
  permuteRule,
  planarRule,
  radialRule,
  reflectionsRule,
  partialSumsRule,
  probeSumRule,
  rowSumRule,
  scaleTangentsRule,
  spectralNormRule,
  splineRule,
  supportTableRule,
  sylvesterRule,
  targetRule,
  timeTableRule,
];

const findRule = ({ kernel }: Command): DerivativeRule | undefined => {
  const key = kernelKey(kernel.source);
  return rules.find((known) => known.kernel === key);
};

/** Whether the command reads a buffer before it overwrites it. */
export const worksInPlace = (command: Command): boolean => findRule(command)?.inPlace === true;

/** @throws UnsupportedError for a fused kernel, which has none. */
export function ruleOf(command: Command): DerivativeRule {
  const rule = findRule(command);
  if (!rule) throw new UnsupportedError(command.label, 'the derivative of this kernel');
  return rule;
}
