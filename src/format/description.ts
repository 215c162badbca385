// The flow description, version 1, as TypeScript. docs/format.md gives the equations, flow-schema.ts the rules that are
// enforced. Keys are spelled as in the file. A string that names a tensor is a state_dict name; `prefix` is the part before the last dots.

export type Activation = 'relu' | 'tanh' | 'elu' | 'sigmoid' | 'leaky_relu' | 'silu' | 'softplus' | 'identity';

/** Where a spline acts: on [-tail_bound, tail_bound] with the identity outside or the ends joined, or on a box alone. */
interface SplineBox<Tails extends 'linear' | 'circular' | 'none'> {
  bins: number;
  tails: Tails;
  /** Needed but for tails "none". */
  tail_bound?: number;
  /** [left, right, bottom, top] with tails "none". Default [0, 1, 0, 1]. */
  box?: number[];
}

interface SplineSizes {
  min_bin_width: number;
  min_bin_height: number;
  width_height_divisor: number;
}

export interface DurkanSpline extends SplineBox<'linear' | 'circular' | 'none'>, SplineSizes {
  type: 'durkan';
  min_derivative: number;
  shift?: number;
}

export interface ZukoSpline {
  type: 'zuko';
  bins: number;
  bound: number;
  slope: number;
  tails?: 'linear' | 'circular';
  shift?: number;
}

export interface LinearSpline extends SplineBox<'linear' | 'none'> {
  type: 'linear';
}

export interface QuadraticSpline extends SplineBox<'linear' | 'none'>, SplineSizes {
  type: 'quadratic';
}

export interface CubicSpline extends SplineBox<'linear' | 'none'>, SplineSizes {
  type: 'cubic';
}

export type SplineDescription = DurkanSpline | ZukoSpline | LinearSpline | QuadraticSpline | CubicSpline;

/** One number for all features, or one each. Null: no end on that side (`support` alone). */
export type PerFeature = number | null | (number | null)[];

export type NetDescription =
  | { type: 'masked_mlp'; linears: string[]; activation: Activation; context_proj?: string | null }
  | {
      type: 'nflows_made';
      prefix: string;
      blocks: number;
      residual: boolean;
      activation: Activation;
      batch_norm: boolean;
      context: boolean;
      nde?: boolean;
    }
  | { type: 'nflows_resnet'; prefix: string; blocks: number; activation: Activation; batch_norm: boolean; context: boolean }
  | { type: 'normflows_made'; prefix: string; blocks: number; activation: Activation }
  | { type: 'zuko_mlp'; linears: string[]; activation: Activation; context_concat: boolean; residual?: boolean }
  | { type: 'ptf_made'; prefix: string; activation: Activation; context: boolean }
  | { type: 'ptf_made_split'; prefix: string; s_act: Activation; t_act: Activation; context: boolean }
  | {
      type: 'lipschitz_mlp';
      coeff: number;
      layers: { swish_beta?: string | null; linear: string }[];
      activation?: Activation | 'lipswish';
      context_proj?: string | null;
      context_concat?: boolean;
    }
  | { type: 'concat_squash_mlp'; layers: string[]; activation: Activation; context_concat?: boolean }
  | { type: 'fourier_mlp'; linears: string[]; activation: Activation; freqs: string; context_concat?: boolean }
  | { type: 'concat_mlp'; linears: string[]; activation: Activation; time_column: 0; context_concat?: boolean };

/** How a continuous flow is integrated. Defaults: docs/format.md. */
export interface SolverDescription {
  method: 'euler' | 'midpoint' | 'rk4' | 'rk4_38' | 'dopri5' | 'dopri5_adaptive';
  steps?: number;
  rtol?: number;
  atol?: number;
  max_steps?: number;
}

export interface DivergenceDescription {
  type: 'exact' | 'gaussian' | 'rademacher';
  probes?: number;
  stream?: number;
}

/** Convolutions with zero padding, leaky relu between them; `context_proj` is added to every pixel of the first one's output. */
export interface ConvNetDescription {
  convs: string[];
  kernel: number[];
  leaky: number;
  context_proj?: string | null;
}

/** How a residual layer's log-det is computed; docs/flows/residual.md. */
export type ResidualLogDetDescription =
  | { method: 'exact' }
  | { method: 'series'; terms: number; probe?: 'unit' | 'rademacher' | 'gaussian'; probes?: number }
  | {
      method: 'roulette';
      distribution?: 'geometric' | 'poisson';
      rate?: number;
      exact_terms?: number;
      terms?: number;
      probe?: 'unit' | 'rademacher' | 'gaussian';
      probes?: number;
    };

/** How its inverse is solved. */
export interface ResidualInverseDescription {
  method: 'broyden' | 'fixed_point';
  tolerance?: number;
  iterations?: number;
}

/** How an affine op makes its scale a of a number u of the net; docs/format.md, `coupling_affine`. */
export type ScaleForm =
  | { form: 'sigmoid2' | 'softplus' | 'softplus_clamp3'; eps: number }
  | { form: 'exp' }
  | { form: 'tanh'; bound: number }
  | { form: 'clamp'; low: number; high: number }
  | { form: 'softclip'; slope: number };

/** `mix` m in (0, 1]: the layer is v + m (f(v) − v), v what its net reads. */
export interface AutoregressiveKeys {
  order?: number[];
  mix?: number;
  net: NetDescription;
}

/** How a zuko transform turns parameters into a map. */
export type ZukoForm = { form: 'softclip_exp'; slope: number } | { form: 'rqs'; spline: SplineDescription };

export type OpDescription =
  | { op: 'permute'; perm: number[]; key?: string }
  | {
      op: 'batchnorm';
      mean: string;
      var: string;
      eps: number;
      gamma?: string | null;
      gamma_map?: 'softplus_plus_eps' | 'exp';
      beta?: string | null;
    }
  | { op: 'actnorm'; log_scale: string; shift: string; form: 'scale_then_shift' | 'minus_bias_then_scale' | 'minus_shift_then_unscale' }
  | ({ op: 'ar_affine'; form: 'mu_s'; layout?: 'chunk' } & AutoregressiveKeys)
  | ({ op: 'iaf_affine'; form: 'mu_s'; layout?: 'chunk' } & AutoregressiveKeys)
  | ({ op: 'ar_affine'; layout?: 'chunk' | 'interleaved' } & ScaleForm & AutoregressiveKeys)
  | ({ op: 'iaf_affine'; layout?: 'chunk' } & ScaleForm & AutoregressiveKeys)
  | ({ op: 'iaf_scale_shift'; form: 'sigmoid2'; eps: number; layout?: 'interleaved' } & AutoregressiveKeys)
  | { op: 'ar_mixture'; components: number; eps: number; order?: number[]; net: NetDescription }
  | { op: 'coupling_mixture'; components: number; eps: number; identity: number[]; transform: number[]; net: NetDescription }
  | { op: 'ar_rqs'; order?: number[]; net: NetDescription; spline: SplineDescription }
  | { op: 'ar_spline'; order?: number[]; net: NetDescription; spline: SplineDescription }
  | ({ op: 'coupling_affine'; layout?: 'shift_then_scale'; identity: number[]; transform: number[]; mix?: number; net: NetDescription } & (
      | ScaleForm
      | { form: 'additive'; eps?: number }
    ))
  | {
      op: 'coupling_rqs';
      identity: number[];
      transform: number[];
      net: NetDescription;
      spline: SplineDescription;
      unconditional?: { prefix: string; spline: SplineDescription } | null;
    }
  | { op: 'coupling_spline'; identity: number[]; transform: number[]; net: NetDescription; spline: SplineDescription }
  | { op: 'wrap'; bound: number; features?: number[] }
  | { op: 'lu_linear'; prefix: string; eps: number }
  | { op: 'qr_linear'; prefix: string }
  | { op: 'householder'; vectors: string }
  | { op: 'matmul_right'; key: string }
  | ({ op: 'zuko_ar'; order: number[]; passes?: number; net: NetDescription } & ZukoForm)
  | ({ op: 'zuko_coupling'; mask: (0 | 1)[]; net: NetDescription } & ZukoForm)
  | ({ op: 'zuko_elementwise'; net?: NetDescription; phi?: string[] } & ZukoForm)
  | {
      op: 'ptf_coupling';
      mask: (0 | 1)[];
      scale_net: string;
      translate_net: string;
      s_act: Activation;
      t_act: Activation;
      context: boolean;
    }
  | { op: 'nf_masked_affine'; b: string; s: string[]; t: string[]; leaky: number }
  | { op: 'residual'; net: NetDescription; log_det?: ResidualLogDetDescription; inverse?: ResidualInverseDescription }
  | {
      op: 'planar';
      u?: string;
      w?: string;
      b?: string;
      net?: NetDescription;
      activation: 'tanh' | 'leaky_relu';
      negative_slope?: number | null;
    }
  | { op: 'radial'; z0?: string; alpha?: string; beta?: string; net?: NetDescription; alpha_map?: 'abs' | 'softplus' }
  | {
      op: 'sylvester';
      units: number;
      r?: string;
      r_tilde?: string;
      b?: string;
      net?: NetDescription;
      householder?: string | null;
    }
  | { op: 'sigmoid_to'; low?: PerFeature; high?: PerFeature; temperature?: number | string; eps?: number; inverse?: boolean }
  | { op: 'tanh_to'; inverse?: boolean }
  | { op: 'softplus_to' | 'exp_to'; low?: PerFeature; inverse?: boolean }
  | { op: 'support'; low: PerFeature; high: PerFeature; positive?: 'softplus' | 'exp'; eps?: number; inverse?: boolean }
  | { op: 'rescale'; low: PerFeature; high: PerFeature; to?: [number, number] }
  | {
      op: 'glow_block';
      actnorm: { log_scale: string; shift: string };
      conv1x1: string;
      use_lu: boolean;
      coupling: ConvNetDescription & {
        scale_map: 'exp' | 'sigmoid' | 'sigmoid_inv' | 'additive';
        split_mode: 'channel' | 'channel_inv';
      };
    }
  | { op: 'logit'; alpha: number }
  | { op: 'sigmoid' }
  | { op: 'split'; latent: number[] }
  | { op: 'conv1x1'; prefix: string; use_lu: boolean }
  | { op: 'channel_actnorm'; log_scale: string; shift: string }
  | ({ op: 'image_coupling'; moves: 'last_channels' | 'first_channels' | 'odd_pixels' | 'even_pixels'; conv_net: ConvNetDescription } & (
      | { form: 'exp' | 'additive' }
      | { form: 'tanh'; bound: number }
      | { form: 'clamp'; low: number; high: number }
    ))
  | { op: 'squeeze' | 'unsqueeze' }
  | { op: 'split_off'; level: number; latent_shape: number[]; prior?: ConvNetDescription }
  | { op: 'final_latent'; level: number; latent_shape: number[] }
  | {
      op: 'cnf';
      t_data: number;
      t_noise: number;
      times?: string;
      net: NetDescription;
      solver?: SolverDescription;
      divergence?: DivergenceDescription;
    };

/** One latent of a multiscale flow; `shape` is [C, H, W]. */
export interface LevelDescription {
  loc: string;
  log_scale: string;
  shape: number[];
}

export type BaseDescription =
  | { type: 'standard_normal' }
  | { type: 'uniform'; low: number; high: number }
  | { type: 'diag_normal'; loc: string; log_scale: string; levels?: undefined }
  | { type: 'diag_normal'; levels: LevelDescription[] }
  | { type: 'box_uniform'; low: string; high: string }
  | { type: 'conditional_normal'; net: NetDescription }
  | { type: 'conditional_bernoulli'; net: NetDescription }
  | { type: 'class_cond_diag_normal'; levels: LevelDescription[]; label?: number }
  | { type: 'diag_gmm'; components: number; logits: string; means: string; log_scales: string };

/** A whole flow. `structure` lists the ops in `structure_direction`: 'density' is x → z, 'generate' is z → x. */
export interface FlowDescription {
  version: 1;
  features: number;
  context_features: number;
  event_shape: number[];
  base: BaseDescription;
  structure_direction: 'density' | 'generate';
  structure: OpDescription[];
}
