// Memory that does not grow with depth: the inputs of layers are rebuilt from their outputs on the way back.
//
// A loss is recorded layer by layer, with the place of each among the commands. Behind it comes the other direction of each layer, which is
// held back until the walk back meets the layer: then x is recorded from y by it, the layer's commands once more from that x on, on tensors
// of their own, and their gradient. Nothing that the first pass left inside a layer is read again, so its scratch is free at once.
// Gomez et al. 2017, arXiv:1707.04585.

import type { Bijector, BijectorCall } from '../flows/bijector.js';
import { Chain } from '../flows/bijectors/chain.js';
import { UnsupportedError } from '../runtime/errors.js';
import { memo } from '../runtime/memo.js';
import { type Command, createProgram, type Program } from '../runtime/program.js';
import { Recorder } from '../runtime/recorder.js';
import type { TiledTensor } from '../runtime/tensor.js';

/** Where a layer lies among the commands of a recorder: from the first up to the last. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly x: TiledTensor;
  readonly y: TiledTensor;
}

interface Marked extends Stretch {
  readonly layer: Bijector;
  /** What rebuilds x. */
  readonly direction: 'forward' | 'inverse';
  readonly context: TiledTensor | null;
}

/** A layer, and the commands that rebuild its x from its y; null where x is kept. */
export interface LayerStretch extends Stretch {
  readonly inverse: Stretch | null;
}

/** A layer that is recorded again on the way back. */
export interface Segment {
  /** Of the first pass. */
  readonly commands: readonly Command[];
  readonly x: TiledTensor;
  readonly y: TiledTensor;
  /** Commands from y to `rebuilt`, recorded nowhere yet; null where x is kept. */
  readonly inverse: { readonly commands: readonly Command[]; readonly rebuilt: TiledTensor } | null;
}

const marks = new WeakMap<Recorder, Marked[]>();

class MarkedLayer implements Bijector {
  readonly name: string;
  readonly dim: number;
  readonly contextDim: number;

  constructor(readonly layer: Bijector) {
    this.name = layer.name;
    this.dim = layer.dim;
    this.contextDim = layer.contextDim;
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, x, call, 'forward', 'inverse');
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#record(r, z, call, 'inverse', 'forward');
  }

  #record(r: Recorder, x: TiledTensor, call: BijectorCall, own: Marked['direction'], direction: Marked['direction']): TiledTensor {
    const { layer } = this;
    const from = r.commands.length;
    const y = layer[own](r, x, call);
    const to = r.commands.length;
    if (to > from) memo(marks, r, () => []).push({ layer, direction, from, to, x, y, context: call.context });
    return y;
  }
}

/** The same layers, marked where they are recorded: gradients by them do without what lies inside. */
const layerwise = (bijector: Bijector): Bijector =>
  bijector instanceof Chain && bijector.name === 'chain'
    ? new Chain(bijector.dim, bijector.layers.map(layerwise))
    : new MarkedLayer(bijector);

/** The flows of a model with their layers marked. */
export const marked = <L>(layers: L): L =>
  ('bijector' in (layers as object)
    ? { ...layers, bijector: layerwise((layers as { bijector: Bijector }).bijector) }
    : Object.fromEntries(Object.entries(layers as object).map(([name, own]) => [name, marked(own)]))) as L;

/** Whether inputs of layers are rebuilt; a number n keeps those of every n-th, so that errors of inverses add up over n layers only. */
export type Recompute = boolean | number;

/**
 * Records layer number `index` turned round, from `y` on; null, and nothing, where its x is kept. An x that is not the output of the layer
 * before it is, as the first one, and so is one that takes more than a pass to rebuild.
 */
function rebuild(r: Recorder, known: readonly Marked[], index: number, y: TiledTensor, recompute: Recompute): TiledTensor | null {
  const { layer, direction, context, x } = known[index]!;
  if (x !== known[index - 1]?.y || (recompute !== true && index % Number(recompute) === 0)) return null;
  const own = new Recorder('flow', r);
  own.adopt(r.commands);
  const rebuilt = attempt(() => own.scope(layer.name, () => layer[direction](own, y, { logDet: null, context })));
  if (!rebuilt || !own.commands.every(({ kernel }) => ONE_PASS.has(kernel.source.name))) return null;
  r.adopt(own.commands);
  for (const command of own.commands) r.replay(command);
  return rebuilt;
}

/** Records what rebuilds the inputs of the marked layers, behind everything else. */
export function recordInverses(r: Recorder, recompute: Recompute): readonly LayerStretch[] {
  const known = marks.get(r) ?? [];
  return known.map(({ from, to, x, y }, index) => {
    const begin = r.commands.length;
    const rebuilt = rebuild(r, known, index, y, recompute);
    return { from, to, x, y, inverse: rebuilt && { from: begin, to: r.commands.length, x: y, y: rebuilt } };
  });
}

/** Records the inputs of the marked layers as a step rebuilds them, one from another; gives those that end such a row, and what they stand for. */
export function recordRoundTrips(r: Recorder, recompute: Recompute): readonly (readonly [was: TiledTensor, is: TiledTensor])[] {
  const known = marks.get(r) ?? [];
  const ends: [TiledTensor, TiledTensor][] = [];
  let is: TiledTensor | null = null;
  for (let index = known.length - 2; index >= 0; index--) {
    const { y } = known[index]!;
    const next = rebuild(r, known, index, is ?? y, recompute);
    if (is && !next) ends.push([y, is]);
    is = next;
  }
  return ends;
}

/** Null where something of it cannot be done. */
export function attempt<T>(body: () => T): T | null {
  try {
    return body();
  } catch (error) {
    if (error instanceof UnsupportedError) return null;
    throw error;
  }
}

/** Kernels of inverses that are one pass: what has others keeps its input. */
const ONE_PASS = new Set([
  'activation',
  'affine',
  'bounded',
  'conv2d',
  'diagonal-affine',
  'join',
  'logit',
  'masked-linear',
  'permute',
  'spline',
  'triangular-solve',
]);

/** Whether a layer may run twice: a solve would cost as much again, and tables that rows leave are not its own. */
export const runsAgain = (commands: readonly Command[]): boolean =>
  commands.every(
    ({ kernel: { source }, tensors }) =>
      !/^(autoregressive|residual)-solve/.test(source.name) &&
      Object.entries(source.buffers).every(([name, { access }]) => access === 'read' || tensors[name]!.kind === 'tiled'),
  );

/** The commands of a layer once more, and the tensors that take the place of those of the first pass, by the ids of these. */
export interface Again {
  readonly commands: readonly Command[];
  readonly renamed: ReadonlyMap<number, TiledTensor>;
}

/** Records a layer's x, where it is not kept, and the layer from there on. @param rebuilt what took the place of a tensor, by its id. */
export function recordAgain(r: Recorder, { commands, x, y, inverse }: Segment, rebuilt: Map<number, TiledTensor>): Again {
  const renamed = new Map<number, TiledTensor>();
  if (inverse) {
    const from = new Map([[y.id, rebuilt.get(y.id) ?? y]]);
    for (const command of inverse.commands) r.replay(renamedIn(command, 'rebuilt', from));
    rebuilt.set(x.id, inverse.rebuilt);
    renamed.set(x.id, inverse.rebuilt);
  }
  const again = commands.map((command) => {
    for (const [name, { access }] of Object.entries(command.kernel.source.buffers)) {
      const tensor = command.tensors[name]!;
      // What it adds to, a log-det, is another one too, which nobody reads.
      if (access === 'read_write' && tensor.kind === 'tiled' && !renamed.has(tensor.id))
        renamed.set(tensor.id, r.tiled(tensor.features, tensor.label));
    }
    const own = renamedIn(command, 'again', renamed);
    r.replay(own);
    secondTime.add(own);
    return own;
  });
  return { commands: again, renamed };
}

const renamedIn = (command: Command, prefix: string, renamed: ReadonlyMap<number, TiledTensor>): Command => ({
  ...command,
  label: command.label.replace(/^[^/]*/, prefix),
  tensors: Object.fromEntries(
    Object.entries(command.tensors).map(([name, tensor]) => [name, (tensor.kind === 'tiled' && renamed.get(tensor.id)) || tensor]),
  ),
});

/** Commands that were recorded a second time. */
const secondTime = /*#__PURE__*/ new WeakSet<Command>();

/** The program of a recorder, without what was recorded a second time and leaves nothing for others: the ends of layers, permutations. */
export function finish(commands: readonly Command[]): Program {
  const needed = new Set<number>();
  const kept = commands.toReversed().filter((command) => {
    const tiled = Object.entries(command.tensors).filter(([, { kind }]) => kind === 'tiled') as [string, TiledTensor][];
    const reads = tiled.filter(([name]) => command.kernel.source.buffers[name]?.access === 'read');
    const again = secondTime.has(command);
    if (again && !tiled.some((entry) => !reads.includes(entry) && needed.has(entry[1].id))) return false;
    // A log-det that several add to is no reason to run them.
    for (const [, { id }] of again ? reads : tiled) needed.add(id);
    return true;
  });
  return createProgram(kept.reverse());
}
