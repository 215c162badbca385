import * as source from '../../src/kernels/generated/optimiser.js';
import { CONTROL_AT } from '../../src/kernels/optimiser.js';
import { defineTwin } from './twin.js';

/** The two bits of number i. */
const kindOf = (kinds: Uint32Array, i: number): { learned: boolean; decays: boolean } => {
  const bits = kinds[Math.floor(i / 256) * 64 + (i % 64)]! >>> (2 * (Math.floor(i / 64) % 4));
  return { learned: (bits & 1) !== 0, decays: (bits & 2) !== 0 };
};

export const squareSums = defineTwin(source.squareSums, ({ buffers: { gradient, parts, kinds }, params: { length } }) => {
  parts.fill(0);
  for (let i = 0; i < length; i++) if (kindOf(kinds, i).learned) parts[Math.floor(i / 8192) * 64 + (i % 64)]! += gradient[i]! ** 2;
});

/** The learning rate at step t, from 1. */
function rate(
  params: { total: number; warmup: number; every: number; learning_rate: number; floor_or_factor: number },
  schedule: number,
  t: number,
): number {
  const { total, warmup, every, learning_rate, floor_or_factor: floor } = params;
  const warm = Math.min(1, t / Math.max(1, warmup));
  const s = Math.max(0, t - warmup);
  const cosine = floor + ((1 - floor) * (1 + Math.cos(Math.PI * Math.min(1, s / Math.max(1, total - warmup))))) / 2;
  const stairs = floor ** Math.floor(s / Math.max(1, every));
  return learning_rate * warm * (schedule === 1 ? cosine : schedule === 2 ? stairs : 1);
}

export const control = defineTwin(source.control, ({ buffers, params, constants: { SCHEDULE } }) => {
  const { control_state: state, loss, losses, pieces } = buffers;
  if (state[CONTROL_AT.failed] !== 0) return;
  let sum = 0;
  for (let b = 0; b < params.blocks; b++) sum += pieces[b]!;
  const norm = Math.sqrt(sum) / params.batch;
  const t = state[CONTROL_AT.step]! + 1;
  const mean = loss[0]! / params.batch;
  losses[Math.min(t, params.total) - 1] = mean;
  if (!Number.isFinite(norm) || !Number.isFinite(mean)) {
    state[CONTROL_AT.failed] = t;
    return;
  }
  state[CONTROL_AT.step] = t;
  state[CONTROL_AT.rate] = rate(params, SCHEDULE, t);
  state[2] = 1 / (1 - params.beta1 ** t);
  state[3] = 1 / (1 - params.beta2 ** t);
  state[4] = (norm > params.clip ? params.clip / norm : 1) / params.batch;
  state[CONTROL_AT.norm] = norm;
});

export const update = defineTwin(source.update, ({ buffers, params, constants: { METHOD, AVERAGE, MOMENTUM } }) => {
  const { gradient, settled, parameters, moment1, moment2, average, kinds } = buffers;
  if (settled[CONTROL_AT.failed] !== 0) return;
  const { beta1, beta2, epsilon, decay } = params;
  const taken = settled[CONTROL_AT.step]!;
  const keep = Math.min(params.average_decay, (1 + taken) / (10 + taken));
  for (let i = 0; i < params.length; i++) {
    const p = parameters[i]!;
    const { learned, decays } = kindOf(kinds, i);
    if (!learned) continue;
    const w = decays ? decay : 0;
    let g = gradient[i]! * settled[4]!;
    let next: number;
    if (METHOD === 2) {
      const m = (MOMENTUM ? beta1 * moment1[i]! : 0) + g + w * p;
      if (MOMENTUM) moment1[i] = m;
      next = p - settled[CONTROL_AT.rate]! * m;
    } else {
      if (METHOD === 0) g += w * p;
      moment1[i] = beta1 * moment1[i]! + (1 - beta1) * g;
      moment2[i] = beta2 * moment2[i]! + (1 - beta2) * g * g;
      const move = (moment1[i]! * settled[2]!) / (Math.sqrt(moment2[i]! * settled[3]!) + epsilon) + (METHOD === 1 ? w * p : 0);
      next = p - settled[CONTROL_AT.rate]! * move;
    }
    parameters[i] = next;
    if (AVERAGE) average[i] = keep * average[i]! + (1 - keep) * next;
  }
});
