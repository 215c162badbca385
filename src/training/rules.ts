// Every derivative rule, by its kernel.

import { activationRule } from '../kernels/activation.js';
import { affineRule } from '../kernels/affine.js';
import { diagonalAffineRule } from '../kernels/diagonal-affine.js';
import { maskedLinearRule } from '../kernels/masked-linear.js';
import { multiplyAddRule } from '../kernels/multiply-add.js';
import { permuteRule } from '../kernels/permute.js';
import { rowSumRule } from '../kernels/row-sum.js';
import { logDensityRule } from '../kernels/standard-normal.js';
import type { DerivativeRule } from '../runtime/derivative.js';
import { UnsupportedError } from '../runtime/errors.js';
import type { Command } from '../runtime/program.js';

const rules = [activationRule, affineRule, diagonalAffineRule, logDensityRule, maskedLinearRule, multiplyAddRule, permuteRule, rowSumRule];

/** @throws UnsupportedError for a fused kernel, which has none. */
export function ruleOf({ kernel, label }: Command): DerivativeRule {
  const rule = rules.find(({ source }) => source === kernel.source);
  if (!rule) throw new UnsupportedError(label, 'the derivative of this kernel');
  return rule;
}
