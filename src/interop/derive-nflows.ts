// nflows' whole-flow classes. Both go from data to noise in list order and leave the base a standard normal.

import type { FlowDescription, NetDescription, OpDescription } from '../format/description.js';
import { FormatError, ValueError } from '../runtime/errors.js';
import { checkCount, type Derivation, readActivation, readIndices, readOptions } from './derive-options.js';

const shared = {
  features: ['size'],
  hidden_features: ['size'],
  num_layers: ['size'],
  num_blocks_per_layer: ['count'],
  activation: ['text', 'relu'],
  dropout_probability: ['number', 0],
  batch_norm_within_layers: ['flag', false],
  batch_norm_between_layers: ['flag', false],
} as const;

const autoregressiveOptions = {
  ...shared,
  use_residual_blocks: ['flag', true],
  use_random_masks: ['flag', false],
  use_random_permutations: ['flag', false],
} as const;

const couplingOptions = { ...shared, use_volume_preserving: ['flag', false] } as const;

const batchNorm = (prefix: string): OpDescription => ({
  op: 'batchnorm',
  mean: `${prefix}.running_mean`,
  var: `${prefix}.running_var`,
  eps: 1e-5,
  gamma: `${prefix}.unconstrained_weight`,
  gamma_map: 'softplus_plus_eps',
  beta: `${prefix}.bias`,
});

/** MaskedAutoregressiveFlow: permutation, autoregressive affine, [batch norm] a layer. SimpleRealNVP: coupling, [batch norm]. */
export function deriveNflows({ options, tensors }: Derivation, kind: 'autoregressive' | 'coupling'): Omit<FlowDescription, 'version'> {
  const masked = kind === 'autoregressive' ? readOptions(options, autoregressiveOptions) : null;
  const volumePreserving = masked ? false : readOptions(options, couplingOptions).use_volume_preserving;
  const given = masked ?? readOptions(options, couplingOptions);
  const activation = readActivation(given.activation);
  if (masked?.use_residual_blocks && masked.use_random_masks) {
    throw new ValueError('description.constructor.use_random_masks', 'use_residual_blocks to be false', 'true');
  }

  const structure: OpDescription[] = [];
  const checks: [prefix: string, batchNorms: boolean][] = [];
  let next = 0;
  const prefixOfNext = () => `_transform._transforms.${next++}`;
  const netAt = (prefix: string): NetDescription => {
    checks.push([prefix, given.batch_norm_within_layers]);
    const common = { prefix, blocks: given.num_blocks_per_layer, activation, batch_norm: given.batch_norm_within_layers, context: false };
    return masked ? { type: 'nflows_made', residual: masked.use_residual_blocks, ...common } : { type: 'nflows_resnet', ...common };
  };
  for (let layer = 0; layer < given.num_layers; layer++) {
    if (masked) {
      const key = `${prefixOfNext()}._permutation`;
      structure.push({ op: 'permute', key, perm: readIndices(tensors, key) });
      const net = netAt(`${prefixOfNext()}.autoregressive_net`);
      structure.push({ op: 'ar_affine', form: 'softplus', eps: 1e-3, layout: 'interleaved', net });
    } else {
      const prefix = prefixOfNext();
      structure.push({
        op: 'coupling_affine',
        form: volumePreserving ? 'additive' : 'sigmoid2',
        eps: 1e-3,
        layout: 'shift_then_scale',
        identity: readIndices(tensors, `${prefix}.identity_features`),
        transform: readIndices(tensors, `${prefix}.transform_features`),
        net: netAt(`${prefix}.transform_net`),
      });
    }
    if (given.batch_norm_between_layers) structure.push(batchNorm(prefixOfNext()));
  }

  checkCount(tensors, '_transform._transforms.', next, 'num_layers');
  for (const [prefix, expected] of checks) {
    checkCount(tensors, `${prefix}.blocks.`, given.num_blocks_per_layer, 'num_blocks_per_layer');
    const block = `${prefix}.blocks.0.`;
    const names = [...tensors.keys()].filter((name) => name.startsWith(block)).map((name) => name.slice(block.length));
    if (names.length > 0 && names.some((name) => name.startsWith('batch_norm')) !== expected) {
      throw new FormatError('weights', `"${block}" and the constructor's batch_norm_within_layers ${expected} disagree`);
    }
    if (masked && names.length > 0 && names.includes('linear_layers.0.weight') !== masked.use_residual_blocks) {
      throw new FormatError('weights', `"${block}" and the constructor's use_residual_blocks ${masked.use_residual_blocks} disagree`);
    }
  }
  return {
    features: given.features,
    context_features: 0,
    event_shape: [given.features],
    base: { type: 'standard_normal' },
    structure_direction: 'density',
    structure,
  };
}
