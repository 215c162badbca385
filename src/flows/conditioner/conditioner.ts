// A conditioner as data: a list of linear stages with masks. It knows no library and no device. Two plans are made of it:
// parallel-plan.ts (all rows and units at once) and solve-plan.ts (feature by feature, each unit once).

import type { Activation } from '../../kernels/activation.js';
import type { RunningStatistics } from '../../runtime/tensor.js';

/** `input` of a stage that reads the conditioner's own input. */
export const INPUT = -1;

/** Projection of the context that meets a stage: added before everything but the gate, or, through a sigmoid, multiplied. */
export interface ContextTerm {
  readonly mode: 'add' | 'gate';
  /** [outputs, contextDim], row-major. */
  readonly weight: Float32Array;
  readonly bias: Float32Array | null;
  /** Applied to the projection of an added term; a gate has its sigmoid anyway. */
  readonly activation: Activation;
}

/** Batch norm with running statistics: (value − mean) · weight · factor + bias, as value · scale + shift. */
export interface Norm {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  /** 1 / √(variance + eps). */
  readonly factor: Float64Array;
  readonly running: RunningStatistics;
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

export function normOf(parts: Pick<Norm, 'running' | 'weight' | 'bias'>): Norm {
  const { running, weight, bias } = parts;
  const { mean, variance, eps } = running;
  const factor = Float64Array.from(variance, (value) => 1 / Math.sqrt(value + eps));
  const scale = factor.map((value, i) => value * weight[i]!);
  return { ...parts, factor, scale, shift: scale.map((value, i) => bias[i]! - mean[i]! * value) };
}

/**
 * y = activation(norm(gate · (W x + b) + context + skip)).
 *
 * The value before `norm` is the stage's raw value; a later stage's `skip` adds it.
 */
export interface Stage {
  /** Index of the stage whose output is read, or INPUT. Always an earlier one. */
  readonly input: number;
  readonly inputs: number;
  readonly outputs: number;
  /** [outputs, inputs], row-major, zero where the mask is. */
  readonly weight: Float32Array;
  /** [outputs, inputs]: which entries may differ from zero; null where all may. */
  readonly mask: Uint8Array | null;
  readonly bias: Float32Array | null;
  readonly contexts: readonly ContextTerm[];
  /** Stage whose raw value is added, or null. */
  readonly skip: number | null;
  readonly norm: Norm | null;
  /** A norm of the inputs that weight and bias contain, and both without it. */
  readonly folded?: { readonly norm: Norm; readonly weight: Float32Array; readonly bias: Float32Array | null };
  readonly activation: Activation;
}

/** Where one parameter of the transformer comes from: unit `units[slot]` of a stage that no other stage reads. */
export interface Head {
  readonly stage: number;
  readonly units: Uint32Array;
}

export interface Conditioner {
  /** Features of its input: D, or C for a net that reads the context alone. */
  readonly inputs: number;
  readonly contextDim: number;
  readonly stages: readonly Stage[];
  /** One for each parameter of the transformer, in its order; all over the same slots. */
  readonly heads: readonly Head[];
}

/** Whether entry (output, input) of a stage may differ from zero. */
export const connected = (stage: Stage, output: number, input: number): boolean =>
  stage.mask === null || stage.mask[output * stage.inputs + input] !== 0;
