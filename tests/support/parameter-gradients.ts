// Gradients by parameters in float64: the recorded program through the twins, and central differences of its own loss.

import type { GpuFlow } from '../../src/flows/flow.js';
import { recordOutput } from '../../src/flows/task.js';
import type { Program } from '../../src/runtime/program.js';
import { Recorder } from '../../src/runtime/recorder.js';
import { recordOwnDensity, recordParameterGradients } from '../../src/training/gradients.js';
import { modelOf } from '../../src/training/model.js';
import { flatParameters, layoutOf, recordTrainable } from '../../src/training/trainable.js';
import { runProgram } from '../reference/run.js';
import type { Random } from './random.js';

export interface ParameterGradients {
  /** Σ over rows of −log p(x). */
  readonly loss: number;
  /** Flat, in the order of the state_dict. */
  readonly gradient: Float64Array;
}

/** A loss as a function of flat parameters, by default the flow's own. */
export interface Differentiable {
  /** With the recorded gradient. */
  evaluate(parameters?: Float64Array): ParameterGradients;
  /** The loss alone, which costs a third of that. */
  loss(parameters: Float64Array): number;
}

/** The flow's loss on some rows. */
export function differentiable(flow: GpuFlow, x: Float32Array, context: Float32Array | undefined): Differentiable {
  const model = modelOf(flow);
  const layout = layoutOf(model);
  const whole = recordParameterGradients(flow, layout);
  const r = new Recorder('flow');
  recordOutput(r, 'logProb', recordTrainable(r, model, layout, recordOwnDensity).ends.logProb);
  const density = r.finish();
  const own = Float64Array.from(flatParameters(model, layout));
  const run = (program: Program, parameters: Float64Array, more: Record<string, Float64Array> = {}) => {
    const given = { x: Float64Array.from(x), parameters, ...(context && { context: Float64Array.from(context) }), ...more };
    const { logProb, gradient } = runProgram(program, { rows: x.length / flow.dim, externals: given });
    return { gradient, loss: -logProb!.reduce((sum, value) => sum + value, 0) };
  };
  return {
    evaluate(parameters = own) {
      const { loss, gradient } = run(whole, parameters, { gradient: new Float64Array(layout.count) });
      return { loss, gradient: gradient! };
    },
    loss: (parameters) => run(density, parameters).loss,
  };
}

/**
 * The largest |recorded − numeric| / (1 + |numeric|) over `count` parameters drawn at random. A parameter at which differences with two
 * steps disagree stands at a kink of a ReLU or a clamp, and another is drawn.
 */
export function worstDifference(
  flow: GpuFlow,
  { evaluate, loss: lossOf }: Differentiable,
  random: Random,
  count: number,
): { worst: number; place: string } {
  const layout = layoutOf(modelOf(flow));
  const at = Float64Array.from(flatParameters(modelOf(flow), layout));
  const { gradient } = evaluate(at);
  const numeric = (index: number, h: number): number => {
    const loss = (step: number) => {
      const moved = at.slice();
      moved[index]! += step;
      return lossOf(moved);
    };
    return (loss(h) - loss(-h)) / (2 * h);
  };
  let worst = 0;
  let place = 'none';
  let checked = 0;
  for (let tries = 0; checked < count && tries < 4 * count; tries++) {
    const index = random.integer(layout.count);
    const h = 1e-5;
    const [far, near] = [numeric(index, 2 * h), numeric(index, h)];
    // Twice the step, four times the error; beyond that it is a kink.
    if (Math.abs(far - near) > 1e-4 * (1 + Math.abs(near))) continue;
    checked++;
    const error = Math.abs(gradient[index]! - near) / (1 + Math.abs(near));
    if (error <= worst) continue;
    worst = error;
    const { name, from } = layout.tensors.findLast((tensor) => tensor.from <= index)!;
    place = `${name}[${index - from}]: recorded ${gradient[index]}, differences ${near}`;
  }
  if (checked < count) throw new Error(`only ${checked} of ${count} parameters stood away from a kink`);
  return { worst, place };
}
