// The programs of a temporal flow. All but `density` have a row for each series and run once, or once a step with the state in
// buffers that outlive them: nothing in them depends on the length of a series.

import { series } from '../../kernels/series.js';
import type { Program } from '../../runtime/program.js';
import { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import type { GpuFlow } from '../flow.js';
import { recordOutput, recordStart } from '../task.js';
import type { Recurrent } from './recurrent.js';

/**
 * `scale`     mean scale of the first `step` steps of x, to the state
 * `contexts`  one step of given series x: its context, and x divided by its scale, to row-major buffers
 * `history`   the same without buffers: only the state goes on
 * `draw`      one step: draws x, writes it, and feeds it back
 * `leave`     the state to row-major buffers, `enter` from them, rows repeated
 * `density`   log-density of all steps at once, a row for each step of each series
 * `total`     of the steps of a series
 */
export type TemporalTask = 'scale' | 'contexts' | 'history' | 'draw' | 'leave' | 'enter' | 'density' | 'total';

export interface TemporalParts {
  readonly recurrent: Recurrent;
  /** Conditional flow of one step; its context is the hidden state, or that and the covariates. */
  readonly flow: GpuFlow;
  /** D. */
  readonly dim: number;
  /** K. */
  readonly covariates: number;
  readonly scaling: 'none' | 'mean';
}

/** Everything that a step leaves for the next, in the buffers of that name: features. */
export const statesOf = ({ recurrent, dim, scaling }: TemporalParts): Readonly<Record<string, number>> => ({
  ...recurrent.states,
  ...(scaling === 'mean' && { scale: dim }),
});

/** Row-major buffer that a state leaves to and enters from. */
export const carried = (state: string): string => `${state} carried`;

function readStep(
  r: Recorder,
  source: string,
  features: number,
  inside: TiledTensor,
  at: number,
  options: { scale?: TiledTensor | null; repeated?: boolean },
): void {
  const { scale = null, repeated = false } = options;
  r.run(series.readStep, {
    buffers: { outside: r.external(source, features), inside, scale: scale ?? NONE },
    params: { features, inside_features: inside.features, at },
    constants: { SCALED: scale !== null, REPEATED: repeated },
  });
}

function writeStep(r: Recorder, tensor: TiledTensor, features: number, result: string, scale: TiledTensor | null): void {
  r.run(series.writeStep, {
    buffers: { tensor, result: r.external(result, features), scale: scale ?? NONE },
    params: { features, inside_features: tensor.features, at: 0 },
    constants: { SCALED: scale !== null },
  });
}

export function recordTemporal(parts: TemporalParts, task: TemporalTask): Program {
  const { recurrent, flow, dim, covariates, scaling } = parts;
  if (task === 'density') return flow.record('logProb');
  const r = new Recorder('temporal');
  const scale = scaling === 'mean' ? r.state('scale', dim) : null;
  if (task === 'scale') {
    const params = { features: dim, inside_features: dim, at: 0 };
    r.run(series.meanScale, { buffers: { outside: r.external('x', dim), inside: scale! }, params });
  } else if (task === 'total') {
    r.run(series.total, {
      buffers: { outside: r.external('density', 1), result: r.external('perStep', 1), sum: r.external('logProb', 1), scale: scale ?? NONE },
      params: { features: dim, inside_features: dim, at: 0 },
      constants: { SCALED: scale !== null },
    });
  } else if (task === 'leave' || task === 'enter') {
    for (const [name, features] of Object.entries(statesOf(parts))) {
      const state = r.state(name, features);
      if (task === 'enter') readStep(r, carried(name), features, state, 0, { repeated: true });
      else recordOutput(r, carried(name), state);
    }
  } else {
    const memory = recurrent.memory(r);
    const context = r.tiled(flow.contextDim, 'context');
    if (covariates > 0) {
      readStep(r, 'covariates', covariates, memory, dim, { repeated: true });
      if (context.features > recurrent.hidden) readStep(r, 'covariates', covariates, context, recurrent.hidden, { repeated: true });
    }
    recurrent.recordStep(r, context);
    if (task === 'draw') {
      const { base, bijector } = flow.parts;
      const x = bijector.inverse(r, recordStart(r, 'sample', base, context), { logDet: null, context });
      writeStep(r, x, dim, 'x', scale);
    }
    if (task === 'contexts') writeStep(r, context, context.features, 'contexts', null);
    // From the buffer, a draw too: the state is then what `contexts` makes of the drawn series, bit for bit.
    readStep(r, 'x', dim, memory, 0, { scale });
    if (task === 'contexts' && scale) writeStep(r, memory, dim, 'scaled', null);
  }
  return r.finish();
}
