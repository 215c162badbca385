// A sequential solve over norms: its packed numbers as sums of products of parameters, which a kernel makes on the device.
//
//   W diag(gain · factor)   b + W (bias − mean · gain · factor)      a norm folded into the layer behind it
//   gain · factor           bias − mean · gain · factor              one behind the product
//
// mean and factor are those of the running statistics: a solve goes row by row, so it has none of all rows.

import type { Stage } from '../flows/conditioner/conditioner.js';
import type { NormedSolve } from '../flows/conditioner/solve-plan.js';
import type { Strip } from '../flows/conditioner/strips.js';
import type { Command } from '../runtime/program.js';
import type { Recorder } from '../runtime/recorder.js';
import type { ConstantTensor, Origin } from '../runtime/tensor.js';

/** Elements one after another, each a sum of products of two numbers and a factor that is not learned. */
class Sums {
  readonly #starts = [0];
  readonly #factors: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];

  add(factor: number, left: number, right = 1): void {
    this.#factors.push(factor);
    this.#left.push(left);
    this.#right.push(right);
  }

  end(): void {
    this.#starts.push(this.#left.length);
  }

  finish(): Origin {
    // A binding is never empty.
    if (this.#left.length === 0) this.add(0, 0, 0);
    return {
      kind: 'sums of products',
      inputs: { left: Float32Array.from(this.#left), right: Float32Array.from(this.#right) },
      held: { factors: Float32Array.from(this.#factors), starts: Uint32Array.from(this.#starts) },
      settings: {},
    };
  }
}

/** In the order of TaskWriter (src/flows/conditioner/solve-plan.ts). */
function addWeights(sums: Sums, stage: Stage, { units, from, count }: Strip, columns: readonly number[]): void {
  const { inputs, mask, folded } = stage;
  const { weight } = folded ?? stage;
  const known = count - from;
  for (let k = 0; k < known; k++)
    for (const unit of units) {
      const column = columns[from + k]!;
      const at = unit * inputs + column;
      if (unit >= 0 && column >= 0 && (mask === null || mask[at] !== 0))
        sums.add(folded?.norm.factor[column] ?? 1, weight[at]!, folded?.norm.weight[column]);
      sums.end();
    }
}

function addConstants(sums: Sums, units: readonly number[], add: (unit: number) => void): void {
  for (let lane = 0; lane < 4 * Math.ceil(units.length / 4); lane++) {
    const unit = units[lane] ?? -1;
    if (unit >= 0) add(unit);
    sums.end();
  }
}

function addBias(sums: Sums, { inputs, mask, norm, folded, bias: own }: Stage, { units, prefix }: Strip): void {
  const bias = folded ? folded.bias : own;
  addConstants(sums, units, (unit) => {
    if (prefix) return;
    if (bias) sums.add(1, bias[unit]!);
    if (!folded) return;
    const { mean } = folded.norm.running;
    for (let i = 0; i < inputs; i++) {
      const at = unit * inputs + i;
      if (mask !== null && mask[at] === 0) continue;
      sums.add(1, folded.weight[at]!, folded.norm.bias[i]!);
      sums.add(-mean[i]! * folded.norm.factor[i]!, folded.weight[at]!, folded.norm.weight[i]!);
    }
  });
  if (!norm || prefix) return;
  addConstants(sums, units, (unit) => sums.add(norm.factor[unit]!, norm.weight[unit]!));
  addConstants(sums, units, (unit) => {
    sums.add(1, norm.bias[unit]!);
    sums.add(-norm.running.mean[unit]! * norm.factor[unit]!, norm.weight[unit]!);
  });
}

const made = /*#__PURE__*/ new WeakMap<NormedSolve, { readonly weight: Origin; readonly bias: Origin }>();

/** Where weights and biases of a solve come from; made once, so that all solves of a layer share their tables. */
export function solveOrigins(parts: NormedSolve): { readonly weight: Origin; readonly bias: Origin } {
  let origins = made.get(parts);
  if (!origins) {
    const [weight, bias] = [new Sums(), new Sums()];
    for (const strip of parts.strips) {
      const stage = parts.stages[strip.stage]!;
      addWeights(weight, stage, strip, parts.columns.get(stage.input)!);
      addBias(bias, stage, strip);
    }
    origins = { weight: weight.finish(), bias: bias.finish() };
    made.set(parts, origins);
  }
  return origins;
}

/** Replays a solve with the origins of its numbers. */
export function replaySolve(r: Recorder, command: Command, parts: NormedSolve): void {
  const origins = solveOrigins(parts);
  const from = (name: 'weight' | 'bias'): ConstantTensor => ({
    ...(command.tensors[name] as ConstantTensor),
    parts: null,
    origin: { of: origins[name], table: 'table' },
  });
  r.replay({ ...command, tensors: { ...command.tensors, weight: from('weight'), bias: from('bias') } });
}

/** The means of the norms that solves among the commands hold: where rows are solved one by one their statistics stay the running ones. */
export const solvedMeans = (commands: readonly Command[]): ReadonlySet<Float32Array> =>
  new Set(
    commands.flatMap(({ tensors }) => {
      const parts = (tensors.weight as ConstantTensor | undefined)?.parts as NormedSolve | null | undefined;
      if (parts?.kind !== 'solve') return [];
      return parts.stages.flatMap(({ norm, folded }) => [norm, folded?.norm].flatMap((each) => (each ? [each.running.mean] : [])));
    }),
  );
