// A conditioner evaluated for all rows and units at once: one masked-linear dispatch a stage, and one for each context term.
// Units are sorted by readiness, which does not change the function and lets whole strips skip the zero half of the masks.

import type { Recorder } from '../../runtime/recorder.js';
import type { TiledTensor } from '../../runtime/tensor.js';
import { type Conditioner, type ContextTerm, INPUT, type Stage } from './conditioner.js';
import { identityOrder, orderBy, type PackedLinear, packLinear, recordLinear } from './packing.js';
import type { Readiness } from './readiness.js';

interface PlannedTerm {
  readonly term: ContextTerm;
  readonly packed: PackedLinear;
}

/** What a stage with norms is made of, and the orders of its outputs and inputs. */
export interface NormedStage {
  readonly kind: 'norms';
  readonly stage: Stage;
  readonly order: Uint32Array<ArrayBuffer>;
  readonly inputOrder: Uint32Array<ArrayBuffer>;
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
  const slotOrder = ready ? orderBy(ready.stepOf) : identityOrder(slots);
  const headStages = new Set(conditioner.heads.map((head) => head.stage));
  const orders: Uint32Array<ArrayBuffer>[] = [];
  let parameterFeatures = 0;
  const stages = conditioner.stages.map((stage, index): PlannedStage => {
    // The kernel adds one tensor, in the order of the stage it comes from.
    const added = stage.contexts.filter((term) => term.mode === 'add').length + (stage.skip === null ? 0 : 1);
    const gates = stage.contexts.filter((term) => term.mode === 'gate').length;
    if (added > 1 || gates > 1 || (headStages.has(index) && (stage.skip !== null || stage.norm !== null)))
      throw new Error(
        `conditioner stage ${index}: at most one added tensor and one gate meet a stage, and no skip or norm one that heads read`,
      );
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
      order = ready ? orderBy(ready.unitReady[index]!) : identityOrder(stage.outputs);
    }
    orders.push(order);
    const terms = stage.contexts.map((term) => ({
      term,
      packed: packLinear({ ...term, inputs: conditioner.contextDim }, order),
    }));
    const parts: NormedStage | null = stage.norm || stage.folded ? { kind: 'norms', stage, order, inputOrder } : null;
    return {
      packed: { ...packLinear(stage, order, inputOrder), parts },
      terms,
      parametersAt,
      keepsRaw: conditioner.stages.some((other) => other.skip === index),
    };
  });
  return { conditioner, stages, parameterFeatures, slotOrder };
}

/** Records the conditioner; returns its parameters, tiled [parameterFeatures, rows] in the plan's slot order. */
export function recordParallel(r: Recorder, plan: ParallelPlan, input: TiledTensor, context: TiledTensor | null): TiledTensor {
  const parameters = r.tiled(plan.parameterFeatures, 'parameters');
  const outputs: TiledTensor[] = [];
  const raws: (TiledTensor | null)[] = [];
  for (const [index, planned] of plan.stages.entries()) {
    const stage = plan.conditioner.stages[index]!;
    const { packed, terms } = planned;
    const x = stage.input === INPUT ? input : outputs[stage.input]!;
    const project = (mode: ContextTerm['mode'], label: string): TiledTensor | null => {
      const planned = terms.find(({ term }) => term.mode === mode);
      if (!planned) return null;
      const projected = r.tiled(planned.packed.outputs, label);
      recordLinear(r, planned.packed, context!, projected, { label, activation: planned.term.activation });
      return projected;
    };
    const gate = project('gate', 'gate');
    const addend = stage.skip !== null ? (raws[stage.skip] ?? outputs[stage.skip]!) : project('add', 'context term');
    const plain = stage.norm === null && stage.activation === 'identity'; // then raw and output are one
    const raw = planned.keepsRaw && !plain ? r.tiled(packed.outputs, `raw ${index}`) : null;
    const y = planned.parametersAt !== null ? parameters : r.tiled(packed.outputs, `hidden ${index}`);
    recordLinear(r, packed, x, y, {
      label: `${index}`,
      activation: stage.activation,
      yAt: planned.parametersAt ?? 0,
      gate,
      addend,
      raw,
      scaled: stage.norm !== null,
    });
    outputs.push(y);
    raws.push(raw);
  }
  return parameters;
}
