// Gradients by parameters in float64: the recorded program through the twins, and central differences of its own loss.

import type { GpuFlow } from '../../src/flows/flow.js';
import { recordParameterGradients } from '../../src/training/gradients.js';
import { modelOf } from '../../src/training/model.js';
import { flatParameters, layoutOf } from '../../src/training/trainable.js';
import { runProgram } from '../reference/run.js';
import type { Random } from './random.js';

export interface ParameterGradients {
  /** Σ over rows of −log p(x). */
  readonly loss: number;
  /** Flat, in the order of the state_dict. */
  readonly gradient: Float64Array;
}

/** @param parameters flat; the flow's own where left out. */
export type Differentiable = (parameters?: Float64Array) => ParameterGradients;

/** The flow's loss on some rows as a function of its parameters, with the recorded gradient. */
export function differentiable(flow: GpuFlow, x: Float32Array, context: Float32Array | undefined): Differentiable {
  const layout = layoutOf(modelOf(flow));
  const program = recordParameterGradients(flow, layout);
  const own = Float64Array.from(flatParameters(modelOf(flow), layout));
  return (parameters = own) => {
    const { logProb, gradient } = runProgram(program, {
      rows: x.length / flow.dim,
      externals: {
        x: Float64Array.from(x),
        parameters,
        gradient: new Float64Array(layout.count),
        ...(context && { context: Float64Array.from(context) }),
      },
    });
    return { loss: -logProb!.reduce((sum, value) => sum + value, 0), gradient: gradient! };
  };
}

/**
 * The largest |recorded − numeric| / (1 + |numeric|) over `count` parameters drawn at random. A parameter at which differences with two
 * steps disagree stands at a kink of a ReLU or a clamp, and another is drawn.
 */
export function worstDifference(flow: GpuFlow, evaluate: Differentiable, random: Random, count: number): { worst: number; place: string } {
  const layout = layoutOf(modelOf(flow));
  const at = Float64Array.from(flatParameters(modelOf(flow), layout));
  const { gradient } = evaluate(at);
  const numeric = (index: number, h: number): number => {
    const loss = (step: number) => {
      const moved = at.slice();
      moved[index]! += step;
      return evaluate(moved).loss;
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
