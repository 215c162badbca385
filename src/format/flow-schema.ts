// What the loader enforces of a flow description, as tables that expand to a JSON Schema. docs/flow-format.schema.json is what comes out
// (`npx vitest run tests/node/format.test.ts -u` writes it); docs/format.md gives the equations.
//
// An object is written as its keys: `key?` may be left out, `key:kind` holds another kind of value than the key does elsewhere. A kind is
// a definition, `kind[]` a list of at least one, or `a|b`, one of two words.

import type { Schema } from './schema.js';

type Table<T = string> = Readonly<Record<string, T>>;

/** Keys by the kind of value that they hold. A key that is defined below holds that; any other, a string: the name of a tensor. */
const KINDS: Table = {
  flag: 'inverse use_lu residual batch_norm nde context context_concat',
  size: 'features bins components units passes probes terms steps max_steps iterations',
  count: 'context_features blocks label level stream exact_terms',
  number: 'low high t_data t_noise',
  amount:
    'eps mix alpha bound slope leaky coeff rate rtol atol tolerance tail_bound min_bin_width min_bin_height min_derivative width_height_divisor',
  name_or_null: 'gamma context_proj householder swish_beta',
  activation: 's_act t_act',
  conv_net: 'prior',
  'count[]': 'perm order identity transform latent',
  'name[]': 'linears convs s t phi',
  'size[]': 'event_shape latent_shape shape kernel',
  'bit[]': 'mask',
  'base_level[]': 'levels',
  'lipschitz_layer[]': 'layers',
  'op[]': 'structure',
  object: 'flow',
};

const VALUES: Table<Schema> = {
  name: { type: 'string' },
  name_or_null: { type: ['string', 'null'] },
  flag: { type: 'boolean' },
  size: { type: 'integer', minimum: 1 },
  count: { type: 'integer', minimum: 0 },
  number: { type: 'number' },
  amount: { type: 'number', minimum: 0 },
  negative_slope: { type: ['number', 'null'], minimum: 0 },
  temperature: { type: ['number', 'string'] },
  object: { type: 'object' },
  per_feature: { type: ['number', 'array', 'null'], items: { type: ['number', 'null'] } },
  box: { type: 'array', minItems: 4, items: { type: 'number' } },
  to: { type: 'array', items: { type: 'number' } },
  bit: { enum: [0, 1] },
  version: { const: 1 },
  time_column: { const: 0 },
  activation: { enum: ['relu', 'tanh', 'elu', 'sigmoid', 'leaky_relu', 'silu', 'softplus', 'identity'] },
  probe: { enum: ['unit', 'rademacher', 'gaussian'] },
};

const OBJECTS: Table = {
  conv_net: 'convs kernel leaky context_proj?',
  base_level: 'loc log_scale shape',
  lipschitz_layer: 'linear swish_beta?',
  unconditional: 'prefix spline',
  solve: 'method:broyden|fixed_point tolerance? iterations?',
  solver: 'method:euler|midpoint|rk4|rk4_38|dopri5|dopri5_adaptive steps? rtol? atol? max_steps?',
  divergence: 'type:exact|gaussian|rademacher probes? stream?',
  actnorm: 'log_scale shift',
  cell: 'type:lstm|gru hidden:size layers:size prefix',
  temporal: 'version features covariates?:count scaling?:none|mean cell flow flow_prefix',
  coupling: 'convs kernel leaky context_proj? scale_map:exp|sigmoid|sigmoid_inv|additive split_mode:channel|channel_inv',
};

const BASES: Table = {
  standard_normal: '',
  diag_normal: 'loc? log_scale? levels?',
  class_cond_diag_normal: 'levels label?',
  diag_gmm: 'components logits means log_scales',
  box_uniform: 'low:name high:name',
  conditional_normal: 'net',
  conditional_bernoulli: 'net',
  uniform: 'low high',
};

const NETS: Table = {
  masked_mlp: 'linears activation context_proj?',
  nflows_made: 'prefix blocks residual activation batch_norm context nde?',
  nflows_resnet: 'prefix blocks activation batch_norm context',
  normflows_made: 'prefix blocks activation',
  zuko_mlp: 'linears activation context_concat residual?',
  ptf_made: 'prefix activation context',
  ptf_made_split: 'prefix s_act t_act context',
  lipschitz_mlp: 'coeff layers activation?:lipswish|relu|tanh|elu|sigmoid|leaky_relu|silu|softplus|identity context_proj? context_concat?',
  concat_squash_mlp: 'layers:name[] activation context_concat?',
  fourier_mlp: 'linears activation freqs context_concat?',
  concat_mlp: 'linears activation time_column context_concat?',
};

const SPLINES: Table = {
  durkan: 'bins tails:linear|circular|none min_bin_width min_bin_height min_derivative width_height_divisor shift?:number tail_bound? box?',
  zuko: 'bins bound slope tails?:linear|circular shift?:number',
  linear: 'bins tails:linear|none tail_bound? box?',
  quadratic: 'bins tails:linear|none min_bin_width min_bin_height width_height_divisor tail_bound? box?',
  cubic: 'bins tails:linear|none min_bin_width min_bin_height width_height_divisor tail_bound? box?',
};

const LOG_DETS: Table = {
  exact: '',
  series: 'terms probe? probes?',
  roulette: 'distribution?:geometric|poisson rate? exact_terms? terms? probe? probes?',
};

const OPS: Table = {
  permute: 'perm key?',
  batchnorm: 'mean var eps gamma? gamma_map?:softplus_plus_eps|exp beta?:name_or_null',
  actnorm: 'log_scale shift form:scale_then_shift|minus_bias_then_scale|minus_shift_then_unscale',
  ar_affine: 'net layout?:chunk|interleaved order? mix?',
  iaf_affine: 'net layout?:chunk order? mix?',
  iaf_scale_shift: 'form:sigmoid2 eps net layout?:interleaved order? mix?',
  ar_rqs: 'net spline order?',
  coupling_affine: 'identity transform net layout?:shift_then_scale mix?',
  coupling_rqs: 'identity transform net spline unconditional?',
  lu_linear: 'prefix eps',
  matmul_right: 'key',
  qr_linear: 'prefix',
  householder: 'vectors',
  logit: 'alpha',
  sigmoid: '',
  split: 'latent',
  zuko_ar: 'order net passes?',
  zuko_coupling: 'mask net',
  zuko_elementwise: 'net? phi?',
  ptf_coupling: 'mask scale_net translate_net s_act t_act context',
  nf_masked_affine: 'b s t leaky',
  residual: 'net log_det? inverse?:solve',
  planar: 'u? w? b? net? activation:tanh|leaky_relu negative_slope?',
  radial: 'z0? alpha?:name beta? net? alpha_map?:abs|softplus',
  glow_block: 'actnorm conv1x1 use_lu coupling',
  channel_actnorm: 'log_scale shift',
  conv1x1: 'prefix use_lu',
  image_coupling: 'moves:last_channels|first_channels|odd_pixels|even_pixels conv_net',
  squeeze: '',
  unsqueeze: '',
  split_off: 'level latent_shape prior?',
  final_latent: 'level latent_shape',
  cnf: 't_data t_noise times? net solver? divergence?',
  sylvester: 'units r? r_tilde? b? net? householder?',
  sigmoid_to: 'low?:per_feature high?:per_feature temperature? eps? inverse?',
  tanh_to: 'inverse?',
  softplus_to: 'low?:per_feature inverse?',
  exp_to: 'low?:per_feature inverse?',
  support: 'low:per_feature high:per_feature positive?:softplus|exp eps? inverse?',
  rescale: 'low:per_feature high:per_feature to?',
  ar_mixture: 'components eps net order?',
  coupling_mixture: 'components eps identity transform net',
  ar_spline: 'net spline order?',
  coupling_spline: 'identity transform net spline',
  wrap: 'bound features?:count[]',
};

/** What a form asks for besides. */
const FORMS: Table = {
  mu_s: 'layout?:chunk',
  sigmoid2: 'eps',
  softplus_clamp3: 'eps',
  softplus: 'eps',
  exp: '',
  tanh: 'bound',
  clamp: 'low high',
  softclip: 'slope',
  additive: '',
  softclip_exp: 'slope',
  rqs: 'spline',
};

/** The ops that come in several forms. */
const FORMS_OF: Table = {
  ar_affine: 'mu_s sigmoid2 softplus_clamp3 softplus exp tanh clamp softclip',
  iaf_affine: 'mu_s sigmoid2 softplus_clamp3 softplus exp tanh clamp softclip',
  coupling_affine: 'sigmoid2 softplus_clamp3 softplus exp tanh clamp softclip additive',
  image_coupling: 'exp tanh clamp additive',
  zuko_ar: 'softclip_exp rqs',
  zuko_coupling: 'softclip_exp rqs',
  zuko_elementwise: 'softclip_exp rqs',
};

/** Objects that one key tells apart. */
const CHOICES: Table<readonly [key: string, alternatives: Table]> = {
  base: ['type', BASES],
  net: ['type', NETS],
  spline: ['type', SPLINES],
  log_det: ['method', LOG_DETS],
  op: ['op', OPS],
};

/** The JSON schema of the description, version 1. */
export function flowSchema(): Schema {
  const kindOf = new Map([VALUES, OBJECTS, CHOICES].flatMap((table) => Object.keys(table).map((key) => [key, key] as const)));
  for (const [kind, keys] of Object.entries(KINDS)) for (const key of keys.split(' ')) kindOf.set(key, kind);

  const kindSchema = (kind: string): Schema =>
    kind.endsWith('[]')
      ? { type: 'array', ...(kind !== 'op[]' && { minItems: 1 }), items: kindSchema(kind.slice(0, -2)) }
      : kindOf.has(kind)
        ? { $ref: `#/$defs/${kind}` }
        : { enum: kind.split('|') };
  const object = (keys: string) => {
    const required: string[] = [];
    const properties: Record<string, Schema> = {};
    for (const [, key, optional, kind = kindOf.get(key!) ?? 'name'] of keys.matchAll(/(\w+)(\?)?(?::(\S+))?/g)) {
      if (!optional) required.push(key!);
      properties[key!] = kindSchema(kind);
    }
    return { type: 'object', required, properties } as const;
  };
  const choice = (discriminator: string, names: readonly string[], schemaOf: (name: string) => Schema, keys = ''): Schema => {
    const common = object(keys);
    const oneOf = names.map((name) => {
      const own = schemaOf(name);
      return { ...own, properties: { [discriminator]: { const: name }, ...own.properties } };
    });
    return { ...common, required: [discriminator, ...common.required], oneOf };
  };

  const $defs: Record<string, Schema> = { ...VALUES };
  for (const [name, keys] of Object.entries(OBJECTS)) $defs[name] = object(keys);
  for (const [name, [key, alternatives]] of Object.entries(CHOICES))
    $defs[name] = choice(key, Object.keys(alternatives), (alternative) => {
      const forms = name === 'op' && FORMS_OF[alternative];
      const keys = alternatives[alternative]!;
      return forms ? choice('form', forms.split(' '), (form) => object(FORMS[form]!), keys) : object(keys);
    });
  $defs.unconditional = { ...$defs.unconditional, type: ['object', 'null'] };
  return {
    ...object('features base structure_direction:density|generate structure version? context_features? event_shape?'),
    $defs,
  };
}
