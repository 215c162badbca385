// A conditioner evaluated for all rows and units at once: one masked-linear dispatch a stage, and one for each context term.
// Units are sorted by readiness, which does not change the function and lets whole strips skip the zero half of the masks.

import { ACTIVATION_NUMBER } from '../kernels/activation.js';
import { maskedLinear } from '../kernels/masked-linear.js';
import type { Recorder } from '../runtime/recorder.js';
import { NONE, type TiledTensor } from '../runtime/tensor.js';
import { type Conditioner, type ContextTerm, INPUT } from './conditioner.js';
import { identityOrder, type PackedLinear, packLinear } from './packing.js';
import type { Readiness } from './readiness.js';

interface PlannedTerm {
  readonly term: ContextTerm;
  readonly packed: PackedLinear;
}

interface PlannedStage {
  readonly packed: PackedLinear;
  readonly terms: readonly PlannedTerm[];
  /** Row of the parameters tensor for a stage that heads read; null for a hidden one. */
  readonly parametersAt: number | null;
  readonly keepsRaw: boolean;
}

export interface ParallelPlan {
  readonly conditioner: Conditioner;
  readonly stages: readonly PlannedStage[];
  /** Features of the parameters tensor: parameter p of slot j is feature p · slots + slotOrder⁻¹(j). */
  readonly parameterFeatures: number;
  /** Slot at each place: slots sorted by step, so that heads skip too. */
  readonly slotOrder: Uint32Array<ArrayBuffer>;
}

/** @param ready null for an unmasked conditioner: nothing to sort. */
export function planParallel(conditioner: Conditioner, ready: Readiness | null): ParallelPlan {
  const slots = conditioner.heads[0]!.units.length;
  const slotOrder = ready ? identityOrder(slots).sort((a, b) => ready.stepOf[a]! - ready.stepOf[b]! || a - b) : identityOrder(slots);
  const headStages = new Set(conditioner.heads.map((head) => head.stage));
  const orders: Uint32Array<ArrayBuffer>[] = [];
  let parameterFeatures = 0;
  const stages = conditioner.stages.map((stage, index): PlannedStage => {
    const inputOrder = stage.input === INPUT ? identityOrder(stage.inputs) : orders[stage.input]!;
    let order: Uint32Array<ArrayBuffer>;
    let parametersAt: number | null = null;
    if (headStages.has(index)) {
      parametersAt = parameterFeatures;
      const heads = conditioner.heads.filter((head) => head.stage === index);
      order = Uint32Array.from(heads.flatMap((head) => Array.from(slotOrder, (slot) => head.units[slot]!)));
      parameterFeatures += order.length;
    } else if (stage.skip !== null) {
      order = orders[stage.skip]!; // added unit by unit, so both share one order
    } else {
      const at = ready?.unitReady[index];
      order = identityOrder(stage.outputs);
      if (at) order.sort((a, b) => at[a]! - at[b]! || a - b);
    }
    orders.push(order);
    const terms = stage.contexts.map((term) => ({
      term,
      packed: packLinear({ ...term, mask: null, inputs: conditioner.contextDim }, order, identityOrder(conditioner.contextDim)),
    }));
    return {
      packed: packLinear(stage, order, inputOrder),
      terms,
      parametersAt,
      keepsRaw: conditioner.stages.some((other) => other.skip === index),
    };
  });
  return { conditioner, stages, parameterFeatures, slotOrder };
}

/** Records y (features of `y` from `yAt` on) = activation(packed x). */
export function recordProjection(
  r: Recorder,
  packed: PackedLinear,
  x: TiledTensor,
  y: TiledTensor,
  yAt: number,
  activation: ContextTerm['activation'],
): void {
  r.run(maskedLinear, {
    buffers: {
      x,
      weight: r.constant(packed.weight, 'context weight'),
      bias: r.constant(packed.bias, 'context bias'),
      ranges: r.constant(packed.ranges, 'context ranges'),
      addend: NONE,
      gate: NONE,
      y,
      raw: r.tiled(1, 'unused'),
    },
    params: {
      inputs: packed.inputs,
      outputs: packed.outputs,
      x_features: x.features,
      x_at: 0,
      ...noTensor('addend'),
      ...noTensor('gate'),
      y_features: y.features,
      y_at: yAt,
      raw_features: 1,
    },
    constants: { ACTIVATION: ACTIVATION_NUMBER[activation] },
  });
}

const noTensor = <N extends 'addend' | 'gate'>(name: N) =>
  ({ [`${name}_features`]: 1, [`${name}_at`]: 0 }) as { readonly [K in `${N}_features` | `${N}_at`]: number };

/** Records the conditioner; returns its parameters, tiled [parameterFeatures, rows] in the plan's slot order. */
export function recordParallel(r: Recorder, plan: ParallelPlan, input: TiledTensor, context: TiledTensor | null): TiledTensor {
  const parameters = r.tiled(plan.parameterFeatures, 'parameters');
  const outputs: TiledTensor[] = [];
  const raws: (TiledTensor | null)[] = [];
  for (const [index, planned] of plan.stages.entries()) {
    const stage = plan.conditioner.stages[index]!;
    const { packed } = planned;
    const x = stage.input === INPUT ? input : outputs[stage.input]!;
    // At most one added term and one gate meet a stage; a skip adds after the context, in a stage of its own in every known net.
    const added = planned.terms.find(({ term }) => term.mode === 'add');
    const gated = planned.terms.find(({ term }) => term.mode === 'gate');
    const project = (planned: PlannedTerm | undefined, label: string): TiledTensor | null => {
      if (!planned) return null;
      const projected = r.tiled(planned.packed.outputs, label);
      recordProjection(r, planned.packed, context!, projected, 0, planned.term.activation);
      return projected;
    };
    const gate = project(gated, 'gate');
    const addend = stage.skip !== null ? (raws[stage.skip] ?? outputs[stage.skip]!) : project(added, 'context term');
    const isHead = planned.parametersAt !== null;
    const plain = stage.norm === null && stage.activation === 'identity'; // then raw and output are one
    const raw = planned.keepsRaw && !plain ? r.tiled(packed.outputs, `raw ${index}`) : null;
    const y = isHead ? parameters : r.tiled(packed.outputs, `hidden ${index}`);
    r.run(maskedLinear, {
      buffers: {
        x,
        weight: r.constant(packed.weight, `weight ${index}`),
        bias: r.constant(packed.bias, `bias ${index}`),
        ranges: r.constant(packed.ranges, `ranges ${index}`),
        addend: addend ?? NONE,
        gate: gate ?? NONE,
        y,
        raw: raw ?? r.tiled(1, 'unused'),
      },
      params: {
        inputs: packed.inputs,
        outputs: packed.outputs,
        x_features: x.features,
        x_at: 0,
        addend_features: addend?.features ?? 1,
        addend_at: 0,
        gate_features: gate?.features ?? 1,
        gate_at: 0,
        y_features: y.features,
        y_at: planned.parametersAt ?? 0,
        raw_features: raw?.features ?? 1,
      },
      constants: {
        ACTIVATION: ACTIVATION_NUMBER[stage.activation],
        GATE: gate !== null,
        ADDEND: addend !== null,
        RAW: raw !== null,
        SCALE: stage.norm !== null,
      },
    });
    outputs.push(y);
    raws.push(raw);
  }
  return parameters;
}
