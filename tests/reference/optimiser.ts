import * as source from '../../src/kernels/generated/optimiser.js';
import { CONTROL_AT } from '../../src/kernels/optimiser.js';
import { defineTwin } from './twin.js';

/** Visits the learned numbers, each with its word. */
function eachLearned(kinds: Uint32Array, length: number, visit: (i: number, decays: boolean, word: number) => void): void {
  for (let word = 0; word < length / 4; word++) {
    const bits = kinds[word]!;
    for (let k = 0; k < 4; k++)
      if (bits & (1 << (2 * k))) visit(256 * (bits >>> 8) + 4 * (word % 64) + k, (bits & (2 << (2 * k))) !== 0, word);
  }
}

export const squareSums = defineTwin(source.squareSums, ({ buffers: { gradient, parts, kinds }, params: { length, batch } }) => {
  parts.fill(0);
  eachLearned(kinds, length, (i, _, word) => {
    parts[Math.floor(word / 2048) * 64 + (word % 64)]! += (gradient[i]! / batch) ** 2;
  });
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
  const norm = Math.sqrt(sum);
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
  eachLearned(kinds, params.length, (i, decays) => {
    const p = parameters[i]!;
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
  });
});
