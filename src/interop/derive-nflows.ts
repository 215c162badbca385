// nflows' whole-flow classes. Both go from data to noise in list order and leave the base a standard normal.

import type { FlowDescription, NetDescription, OpDescription } from '../format/description.js';
import { FormatError, ValueError } from '../runtime/errors.js';
import { checkCount, type Derivation, namesUnder, readActivation, readIndices, readOptions, vectorFlow } from './derive-options.js';

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

/** nflows.distributions.MADEMoG; its least deviation, 0.01, is not an argument. */
const mademogOptions = {
  features: ['size'],
  hidden_features: ['size'],
  context_features: ['count', 0],
  num_blocks: ['count', 2],
  num_mixture_components: ['size', 1],
  use_residual_blocks: ['flag', true],
  random_mask: ['flag', false],
  activation: ['text', 'relu'],
  dropout_probability: ['number', 0],
  use_batch_norm: ['flag', false],
  custom_initialization: ['flag', false],
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

/**
 * Compares the blocks of a net with what the constructor says of them; the first key counts them.
 * @throws FormatError when they differ.
 */
function checkBlocks(tensors: Derivation['tensors'], prefix: string, said: Readonly<Record<string, number | boolean>>): void {
  const [[count, blocks]] = Object.entries(said) as [[string, number]];
  checkCount(tensors, `${prefix}.blocks.`, blocks, count);
  const block = `${prefix}.blocks.0.`;
  const names = namesUnder(tensors, block);
  if (names.length === 0) return;
  for (const [key, expected] of Object.entries(said)) {
    if (typeof expected !== 'boolean') continue;
    const got = key.includes('batch_norm') ? names.some((name) => name.startsWith('batch_norm')) : names.includes('linear_layers.0.weight');
    if (got !== expected) throw new FormatError('weights', `"${block}" and the constructor's ${key} ${expected} disagree`);
  }
}

/** Residual blocks have no random masks. */
function checkMasks<K extends string>(residual: boolean, given: Readonly<Record<K, boolean>>, random: K): void {
  if (residual && given[random]) throw new ValueError(`description.constructor.${random}`, 'use_residual_blocks to be false', 'true');
}

/** MADEMoG: one MADE with mixtures for outputs, from nflows.nn.nde, whose first layer has no activation. */
export function deriveMademog({ options, tensors }: Derivation): Omit<FlowDescription, 'version'> {
  const given = readOptions(options, mademogOptions);
  const { features, context_features, num_blocks, use_residual_blocks, use_batch_norm } = given;
  checkMasks(use_residual_blocks, given, 'random_mask');
  checkBlocks(tensors, '_made', { num_blocks, use_batch_norm, use_residual_blocks });
  const stored = tensors.get('_made.context_layer.weight')?.shape[1] ?? 0;
  if (stored !== context_features)
    throw new FormatError(
      'weights',
      `the net reads ${stored} context features; the constructor's context_features says ${context_features}`,
    );
  const net: NetDescription = {
    type: 'nflows_made',
    prefix: '_made',
    blocks: num_blocks,
    residual: use_residual_blocks,
    activation: readActivation(given.activation),
    batch_norm: use_batch_norm,
    context: context_features > 0,
    nde: true,
  };
  return vectorFlow(features, context_features, [{ op: 'ar_mixture', components: given.num_mixture_components, eps: 1e-2, net }]);
}

/** MaskedAutoregressiveFlow: permutation, autoregressive affine, [batch norm] a layer. SimpleRealNVP: coupling, [batch norm]. */
export function deriveNflows({ options, tensors }: Derivation, kind: 'autoregressive' | 'coupling'): Omit<FlowDescription, 'version'> {
  const masked = kind === 'autoregressive' ? readOptions(options, autoregressiveOptions) : null;
  const volumePreserving = masked ? false : readOptions(options, couplingOptions).use_volume_preserving;
  const given = masked ?? readOptions(options, couplingOptions);
  const activation = readActivation(given.activation);
  if (masked) checkMasks(masked.use_residual_blocks, masked, 'use_random_masks');

  const structure: OpDescription[] = [];
  const nets: string[] = [];
  let next = 0;
  const prefixOfNext = () => `_transform._transforms.${next++}`;
  const netAt = (prefix: string): NetDescription => {
    nets.push(prefix);
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
  const { num_blocks_per_layer, batch_norm_within_layers } = given;
  for (const prefix of nets)
    checkBlocks(tensors, prefix, {
      num_blocks_per_layer,
      batch_norm_within_layers,
      ...(masked && { use_residual_blocks: masked.use_residual_blocks }),
    });
  return vectorFlow(given.features, 0, structure);
}
