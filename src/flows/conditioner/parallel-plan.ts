// A conditioner evaluated for all rows and units at once: one masked-linear dispatch a stage, and one for each context term.
// Units are sorted by readiness, which does not change the function and lets whole strips skip the zero half of the masks.

import { ACTIVATION_NUMBER, recordActivation } from '../../kernels/activation.js';
import { diagonalAffine } from '../../kernels/diagonal-affine.js';
import type { Recorder } from '../../runtime/recorder.js';
import type { ConstantTensor, TiledTensor } from '../../runtime/tensor.js';
import { splitConstants } from '../bijectors/split-constants.js';
import { type Conditioner, type ContextTerm, INPUT, type Norm, type Stage } from './conditioner.js';
import { identityOrder, orderBy, type PackedLinear, packLinear, recordLinear } from './packing.js';
import type { Readiness } from './readiness.js';

interface PlannedTerm {
  readonly term: ContextTerm;
  readonly packed: PackedLinear;
}

/** A norm as a map of its own, which is how gradients by it are found. */
interface PlannedNorm {
  readonly constants: Float32Array<ArrayBuffer>;
  readonly origin: NonNullable<ConstantTensor['origin']>;
}

/** A stage with norms in parts. */
interface StageInParts {
  readonly before: PlannedNorm | null;
  readonly packed: PackedLinear;
  readonly after: PlannedNorm | null;
}

interface PlannedStage {
  readonly packed: PackedLinear;
  /** For gradients; null for a stage without norms. */
  readonly parts: StageInParts | null;
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
    return {
      packed: packLinear(stage, order, inputOrder),
      parts: inParts(stage, order, inputOrder),
      terms,
      parametersAt,
      keepsRaw: conditioner.stages.some((other) => other.skip === index),
    };
  });
  return { conditioner, stages, parameterFeatures, slotOrder };
}

function inParts(stage: Stage, order: Uint32Array, inputOrder: Uint32Array): StageInParts | null {
  if (!stage.norm && !stage.folded) return null;
  return {
    before: stage.folded ? planNorm(stage.folded.norm, inputOrder) : null,
    packed: packLinear({ ...stage, ...stage.folded, norm: null }, order, inputOrder),
    after: stage.norm && planNorm(stage.norm, order),
  };
}

function planNorm({ mean, factor, weight, bias, scale }: Norm, order: Uint32Array): PlannedNorm {
  const ordered = (values: ArrayLike<number>) => Float32Array.from(order, (unit) => values[unit]!);
  const inputs = { center: ordered(mean), raw: ordered(weight), offset: ordered(factor), shift: ordered(bias) };
  const split = splitConstants(Float64Array.from(order, (unit) => scale[unit]!));
  return {
    constants: Float32Array.of(...inputs.center, ...split, ...inputs.shift),
    origin: { of: { kind: 'product', inputs, settings: {} }, table: 'constants' },
  };
}

function recordNorm(r: Recorder, x: TiledTensor, { constants, origin }: PlannedNorm, y = r.tiled(x.features, 'normed')): TiledTensor {
  r.run(diagonalAffine, { buffers: { x, constants: r.constant(constants, 'norm', origin), y }, params: { features: x.features } });
  return y;
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
    const label = `${index}`;
    const parts = r.differentiable ? planned.parts : null;
    if (parts) {
      // Norms are maps of their own here, and what follows one is too.
      const source = parts.before ? recordNorm(r, x, parts.before) : x;
      const { after } = parts;
      const fused = after ? { activation: 'identity' as const, yAt: 0 } : { activation: stage.activation, yAt: planned.parametersAt ?? 0 };
      const sum = after ? (raw ?? r.tiled(packed.outputs, 'sum')) : y;
      recordLinear(r, parts.packed, source, sum, { label, ...fused, gate, addend, raw: after ? null : raw });
      if (after) {
        const normed = stage.activation === 'identity' ? y : r.tiled(packed.outputs, 'normed');
        recordNorm(r, sum, after, normed);
        if (normed !== y) recordActivation(r, ACTIVATION_NUMBER[stage.activation], normed, y);
      }
    } else
      recordLinear(r, packed, x, y, {
        label,
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
