// Ops without a network, feature by feature: permutations, batch norm, ActNorm, the logit.

import { needs } from '../../format/needs.js';
import { Inverse } from '../bijectors/chain.js';
import { DiagonalAffine } from '../bijectors/diagonal-affine.js';
import { Logit } from '../bijectors/logit.js';
import { Permutation } from '../bijectors/permutation.js';
import type { OpBuilders } from './op.js';

export const elementwiseOps = {
  permute(op, { state }) {
    if (op.key !== undefined) state.checkIndices(op.key, op.perm);
    return new Permutation(op.perm);
  },

  batchnorm(op, { state, inputs: dim, place }) {
    const running = state.running(op.mean, op.var, dim, op.eps);
    const { mean, variance } = running;
    const gamma = op.gamma ? state.parameter(op.gamma, [dim]) : null;
    const beta = op.beta ? state.parameter(op.beta, [dim]) : null;
    const bad = variance.findIndex((value) => !(value + op.eps > 0));
    needs(bad < 0, `${place}: ${op.var}`, 'variances above −eps', `${variance[bad]} at ${bad}`);
    return new DiagonalAffine('batch-norm', {
      center: mean,
      logScale: {
        raw: gamma ?? new Float32Array(dim),
        map: gamma && op.gamma_map !== 'exp' ? 'softplus' : 'identity',
        setting: op.eps,
        offset: Float64Array.from(variance, (value) => -0.5 * Math.log(value + op.eps)),
        running,
      },
      shift: beta ?? new Float32Array(dim),
    });
  },

  actnorm(op, { state, inputs: dim }) {
    const logScale = state.row(op.log_scale, [dim]);
    const shift = state.row(op.shift, [dim]);
    const zero = new Float32Array(dim);
    if (op.form === 'scale_then_shift') return new DiagonalAffine('actnorm', { center: zero, logScale: { raw: logScale }, shift });
    const sign = op.form === 'minus_shift_then_unscale' ? -1 : 1;
    return new DiagonalAffine('actnorm', { center: shift, logScale: { raw: logScale.map((value) => sign * value) }, shift: zero });
  },

  logit(op, { inputs: dim, place }) {
    needs(op.alpha < 0.5, `${place}.alpha`, 'a number from 0 to below 1/2', op.alpha);
    return new Logit(dim, op.alpha);
  },

  sigmoid: (_, { inputs: dim }) => new Inverse(new Logit(dim, 0)),
} satisfies OpBuilders;
