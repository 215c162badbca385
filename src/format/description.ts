// The flow description, version 1, as TypeScript. docs/format.md gives the equations, flow-format.schema.json the rules that are
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
    }
  | { type: 'nflows_resnet'; prefix: string; blocks: number; activation: Activation; batch_norm: boolean; context: boolean }
  | { type: 'normflows_made'; prefix: string; blocks: number; activation: Activation }
  | { type: 'zuko_mlp'; linears: string[]; activation: Activation; context_concat: boolean }
  | { type: 'ptf_made'; prefix: string; activation: Activation; context: boolean }
  | { type: 'ptf_made_split'; prefix: string; s_act: Activation; t_act: Activation; context: boolean }
  | { type: 'lipschitz_mlp'; coeff: number; layers: { swish_beta: string; linear: string }[] }
  | { type: 'concat_mlp'; linears: string[]; activation: Activation; time_column: 0 };

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
  | { op: 'ar_affine'; form: 'mu_s'; layout?: 'chunk'; order?: number[]; net: NetDescription }
  | { op: 'ar_affine'; form: 'softplus'; eps: number; layout?: 'interleaved'; order?: number[]; net: NetDescription }
  | { op: 'iaf_affine'; form: 'mu_s'; layout?: 'chunk'; order?: number[]; net: NetDescription }
  | { op: 'iaf_scale_shift'; form: 'sigmoid2'; eps: number; layout?: 'interleaved'; order?: number[]; net: NetDescription }
  | { op: 'ar_rqs'; order?: number[]; net: NetDescription; spline: SplineDescription }
  | { op: 'ar_spline'; order?: number[]; net: NetDescription; spline: SplineDescription }
  | {
      op: 'coupling_affine';
      form: 'sigmoid2' | 'softplus_clamp3';
      eps: number;
      layout?: 'shift_then_scale';
      identity: number[];
      transform: number[];
      net: NetDescription;
    }
  | ({ op: 'coupling_affine'; layout?: 'shift_then_scale'; identity: number[]; transform: number[]; net: NetDescription } & (
      | { form: 'softplus'; eps: number }
      | { form: 'exp' }
      | { form: 'tanh'; bound: number }
      | { form: 'clamp'; low: number; high: number }
    ))
  | {
      op: 'coupling_affine';
      form: 'additive';
      eps?: number;
      layout?: 'shift_then_scale';
      identity: number[];
      transform: number[];
      net: NetDescription;
    }
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
  | { op: 'residual'; net: NetDescription }
  | { op: 'planar'; u: string; w: string; b: string; activation: 'tanh' | 'leaky_relu'; negative_slope?: number | null }
  | { op: 'radial'; z0: string; alpha: string; beta: string }
  | {
      op: 'glow_block';
      actnorm: { log_scale: string; shift: string };
      conv1x1: string;
      use_lu: boolean;
      coupling: {
        convs: string[];
        kernel: number[];
        leaky: number;
        scale_map: 'exp' | 'sigmoid' | 'sigmoid_inv';
        split_mode: 'channel' | 'channel_inv';
      };
    }
  | { op: 'squeeze' }
  | { op: 'split_off' | 'final_latent'; level: number; latent_shape: number[] }
  | { op: 'cnf'; t_data: number; t_noise: number; net: NetDescription };

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
  | { type: 'class_cond_diag_normal'; levels: LevelDescription[] }
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
