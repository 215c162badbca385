// What a flow is made of and what each direction costs, known from its programs before anything runs.

import { type Flow, ownFlow } from '../flows/flow.js';
import type { Command, Program } from '../runtime/program.js';

/** Cost of one direction, of a layer or of the whole flow. */
export interface DirectionCost {
  readonly dispatches: number;
  /** Multiply-adds of one row in matrix products, padding included. Elementwise work is not counted. */
  readonly multiplyAdds: number;
}

export interface LayerSummary {
  /** As errors and profiles name it, for example `coupling[3]`. */
  readonly name: string;
  /** Learned numbers; a tensor that two layers share counts for the first. */
  readonly parameters: number;
  readonly forward: DirectionCost;
  readonly inverse: DirectionCost;
}

export interface FlowSummary {
  readonly dim: number;
  readonly contextDim: number;
  readonly base: string;
  /** In density order. */
  readonly layers: readonly LayerSummary[];
  /** Learned numbers, those of the base included. */
  readonly parameters: number;
  /** x → z with log-det; scratch in bytes a row at the peak. */
  readonly forward: DirectionCost & { readonly scratchBytesPerRow: number };
  /** z → x with log-det. */
  readonly inverse: DirectionCost & { readonly scratchBytesPerRow: number };
  /** A table for people. */
  toString(): string;
}

const workOf = ({ kernel, tensors, params }: Command): number => kernel.multiplyAdds?.({ buffers: tensors, params }) ?? 0;

const costOf = (commands: readonly Command[]): DirectionCost => ({
  dispatches: commands.length,
  multiplyAdds: commands.reduce((sum, command) => sum + workOf(command), 0),
});

/** `name[index]` of the layer that recorded a command; null for packing, bases and reductions around the layers. */
const layerOf = ({ label }: Command): string | null => /^flow\/([^/[]+\[\d+\])\//.exec(label)?.[1] ?? null;

/**
 * Layers, parameters and cost of each direction.
 *
 * ```ts
 * console.log(String(summary(await maf(gpu, { dim: 6, layers: 5 }))));
 * ```
 *
 * @throws ValueError for a flow of another library.
 */
export function summary(flow: Flow): FlowSummary {
  const own = ownFlow('summary: flow', flow);
  const { description, layerParameters, parameterNames, tensors } = own.parts.state;
  const programs: Record<'forward' | 'inverse', Program> = { forward: own.record('forward'), inverse: own.record('inverse') };
  const names = new Set(programs.forward.commands.map(layerOf).filter((name) => name !== null));
  const layers = [...names].map((name): LayerSummary => {
    const own = (program: Program) => costOf(program.commands.filter((command) => layerOf(command) === name));
    const index = Number(/\[(\d+)\]$/.exec(name)![1]);
    return { name, parameters: layerParameters[index] ?? 0, forward: own(programs.forward), inverse: own(programs.inverse) };
  });
  const whole = (program: Program) => ({ ...costOf(program.commands), scratchBytesPerRow: program.scratchBytesPerRow });
  const result = {
    dim: flow.dim,
    contextDim: flow.contextDim,
    base: description.base.type,
    layers,
    parameters: parameterNames.reduce((sum, name) => sum + tensors.get(name)!.data.length, 0),
    forward: whole(programs.forward),
    inverse: whole(programs.inverse),
  };
  return { ...result, toString: () => tableOf(result) };
}

function tableOf(flow: Omit<FlowSummary, 'toString'>): string {
  const count = (value: number) => value.toLocaleString('en-US');
  const line = (name: string, parameters: number, forward: DirectionCost, inverse: DirectionCost) => [
    name,
    count(parameters),
    count(forward.multiplyAdds),
    count(forward.dispatches),
    count(inverse.multiplyAdds),
    count(inverse.dispatches),
  ];
  const rows = [
    ['layer', 'parameters', 'forward MACs', 'dispatches', 'inverse MACs', 'dispatches'],
    ...flow.layers.map(({ name, parameters, forward, inverse }) => line(name, parameters, forward, inverse)),
    line('all', flow.parameters, flow.forward, flow.inverse),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const text = rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))).join('  '));
  const context = flow.contextDim > 0 ? `, context ${flow.contextDim}` : '';
  return [
    `D ${flow.dim}${context}, base ${flow.base}; a row: multiply-adds (MACs) in products, scratch ${count(flow.forward.scratchBytesPerRow)} B forward, ${count(flow.inverse.scratchBytesPerRow)} B inverse`,
    ...text,
  ].join('\n');
}
