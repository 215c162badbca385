// When each unit of a masked conditioner becomes computable, from the masks alone: no degree rule of any library is assumed.
//
// Input i becomes known after step(i). A unit is ready at the latest of what feeds it; feature i takes its step as soon as its
// outputs are ready. Event-driven: each connection is looked at once, so the cost is the number of weights.

import { type Conditioner, connected, INPUT } from './conditioner.js';

export interface Readiness {
  /** Number of sequential steps. */
  readonly steps: number;
  /** Step at which each input feature is computed; it can be read from step + 1 on. */
  readonly stepOf: Int32Array;
  /** For each stage, the step from which each unit can be computed; `steps` for one that no output ever needs to wait for. */
  readonly unitReady: readonly Int32Array[];
}

/**
 * @param conditioner heads over D slots; slot i holds the parameters of feature i.
 * @returns null where the masks are not autoregressive: some feature would have to be known before itself.
 */
export function readiness(conditioner: Conditioner): Readiness | null {
  const { stages, heads, inputs } = conditioner;
  const waiting = stages.map((stage) => {
    const counts = new Int32Array(stage.outputs);
    for (let o = 0; o < stage.outputs; o++) {
      if (stage.mask === null) counts[o] = stage.inputs;
      else for (let i = 0; i < stage.inputs; i++) counts[o]! += stage.mask[o * stage.inputs + i]! !== 0 ? 1 : 0;
      if (stage.skip !== null) counts[o]!++;
    }
    return counts;
  });
  const unitReady = stages.map((stage) => new Int32Array(stage.outputs).fill(-1));
  const headWaiting = new Int32Array(inputs).fill(heads.length);
  const slotsOf = stages.map((stage) => Array.from({ length: stage.outputs }, () => [] as number[]));
  for (const head of heads) for (const [slot, unit] of head.units.entries()) slotsOf[head.stage]![unit]!.push(slot);

  const stepOf = new Int32Array(inputs).fill(-1);
  let step = 0;
  const ready: [stage: number, unit: number][] = [];
  let taken: number[] = [];
  const arrive = (stage: number, unit: number) => {
    if (--waiting[stage]![unit]! === 0) ready.push([stage, unit]);
  };
  for (const [stage, counts] of waiting.entries()) for (const [unit, count] of counts.entries()) if (count === 0) ready.push([stage, unit]);

  for (let known = 0; ; step++) {
    while (ready.length > 0) {
      const [stage, unit] = ready.pop()!;
      unitReady[stage]![unit] = step;
      for (const [next, consumer] of stages.entries()) {
        if (consumer.input === stage) for (let o = 0; o < consumer.outputs; o++) if (connected(consumer, o, unit)) arrive(next, o);
        if (consumer.skip === stage) arrive(next, unit);
      }
      for (const slot of slotsOf[stage]![unit]!) if (--headWaiting[slot]! === 0) taken.push(slot);
    }
    if (taken.length === 0) {
      if (known < inputs) return null;
      break;
    }
    known += taken.length;
    const now = taken;
    taken = [];
    for (const feature of now) {
      stepOf[feature] = step;
      for (const [next, consumer] of stages.entries())
        if (consumer.input === INPUT) for (let o = 0; o < consumer.outputs; o++) if (connected(consumer, o, feature)) arrive(next, o);
    }
  }
  for (const units of unitReady) for (const [unit, at] of units.entries()) if (at < 0 || at > step) units[unit] = step;
  return { steps: step, stepOf, unitReady };
}
