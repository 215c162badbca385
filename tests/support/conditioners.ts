// Conditioners by hand: masked networks of many kinds, without a library's degree rule or a state_dict.

import { type Conditioner, type ContextTerm, type Head, INPUT, normOf, type Stage } from '../../src/flows/conditioner/conditioner.js';
import type { Activation } from '../../src/kernels/activation.js';
import type { Random } from './random.js';

export interface ConditionerShape {
  readonly dim: number;
  /** Widths of hidden layers; one width, twice a block, where residual. */
  readonly hidden: readonly number[];
  readonly contextDim?: number;
  /** `cycle` and `random` are MADE's degrees; `sparse` opens random entries and lets the order follow. Default cycle. */
  readonly masks?: 'cycle' | 'random' | 'sparse';
  /** Blocks h + L(act(L(act(norm(h))))), gated by the context where there is one. */
  readonly residual?: boolean;
  /** Shift and scale from two nets. */
  readonly twoNets?: boolean;
  readonly norm?: boolean;
  readonly activation?: Activation;
  /** Parameters of a feature: 2 by default, 1 for a shift alone, more for splines. */
  readonly heads?: number;
  /** Features in the order in which they are computed. Default random. */
  readonly order?: readonly number[];
}

/** Level of a unit: the largest place in the order among the inputs that reach it, plus 1; 0 where none does. */
type Levels = readonly number[];

class Builder {
  readonly stages: Stage[] = [];

  constructor(
    readonly random: Random,
    readonly shape: ConditionerShape,
    readonly inputLevels: Levels,
  ) {}

  /** Appends a hidden stage; returns the levels of its units. `fixed` keeps those of a stage that it is added to. */
  hidden(input: number, before: Levels, width: number, options: { fixed?: Levels; skip?: number; contexts?: ContextTerm[] } = {}): Levels {
    const { random, shape } = this;
    const { dim, masks = 'cycle', activation = 'relu', norm = false } = shape;
    const wanted =
      options.fixed ??
      Array.from({ length: width }, (_, unit) =>
        dim === 1 ? 0 : masks === 'cycle' ? (unit % (dim - 1)) + 1 : masks === 'random' ? 1 + random.integer(dim - 1) : random.integer(dim),
      );
    const mask = Uint8Array.from({ length: width * before.length }, (_, at) => {
      const open = before[at % before.length]! <= wanted[Math.floor(at / before.length)]!;
      return open && (masks !== 'sparse' || random.uniform() < 0.4) ? 1 : 0;
    });
    this.#push(input, before.length, width, mask, {
      activation,
      norm: norm
        ? normOf({
            running: {
              mean: random.normals(width, 0.2),
              variance: random.normals(width).map((value) => (1 + 0.2 * value) ** -2),
              eps: 0,
            },
            weight: new Float32Array(width).fill(1),
            bias: random.normals(width, 0.2),
          })
        : null,
      skip: options.skip ?? null,
      contexts: options.contexts ?? [],
    });
    return wanted;
  }

  /** The last stage: unit kind · D + i reads what is known before feature i. */
  output(input: number, before: Levels, kinds: number): void {
    const { dim } = this.shape;
    const mask = Uint8Array.from({ length: kinds * dim * before.length }, (_, at) => {
      const feature = Math.floor(at / before.length) % dim;
      return before[at % before.length]! < this.inputLevels[feature]! ? 1 : 0;
    });
    this.#push(input, before.length, kinds * dim, mask, { activation: 'identity', norm: null, skip: null, contexts: [] });
  }

  term(outputs: number, mode: ContextTerm['mode'], activation: Activation = 'identity'): ContextTerm {
    const contextDim = this.shape.contextDim ?? 0;
    const weight = this.random.normals(outputs * contextDim, 1 / Math.sqrt(contextDim));
    return { mode, weight, bias: this.random.normals(outputs, 0.1), activation };
  }

  #push(input: number, inputs: number, outputs: number, mask: Uint8Array, rest: Pick<Stage, 'activation' | 'norm' | 'skip' | 'contexts'>) {
    const fan = Math.max(1, mask.reduce((sum, open) => sum + open, 0) / outputs);
    const weight = this.random.normals(outputs * inputs, 1 / Math.sqrt(fan)).map((value, at) => value * mask[at]!);
    this.stages.push({ input, inputs, outputs, weight, mask, bias: this.random.normals(outputs, 0.1), ...rest });
  }
}

export function makeConditioner(random: Random, shape: ConditionerShape): Conditioner {
  const { dim, hidden, contextDim = 0, heads = 2 } = shape;
  const order = shape.order ?? random.permutation(dim);
  const levels = new Array<number>(dim).fill(0);
  for (const [place, feature] of order.entries()) levels[feature] = place + 1;
  const builder = new Builder(random, shape, levels);
  const { stages } = builder;
  const net = (kinds: number) => {
    let before = builder.hidden(INPUT, levels, hidden[0]!, { contexts: contextDim > 0 ? [builder.term(hidden[0]!, 'add', 'relu')] : [] });
    for (const width of hidden.slice(1)) {
      const last = stages.length - 1;
      if (!shape.residual) {
        before = builder.hidden(last, before, width);
        continue;
      }
      builder.hidden(last, before, width, { fixed: before });
      const contexts = contextDim > 0 ? [builder.term(width, 'gate')] : [];
      builder.hidden(last + 1, before, width, { fixed: before, skip: last, contexts });
    }
    builder.output(stages.length - 1, before, kinds);
    return stages.length - 1;
  };
  const head = (stage: number, kind: number): Head => ({
    stage,
    units: Uint32Array.from({ length: dim }, (_, feature) => kind * dim + feature),
  });
  const first = net(shape.twoNets ? 1 : heads);
  if (shape.twoNets) return { inputs: dim, contextDim, stages, heads: [head(first, 0), head(net(1), 0)] };
  return { inputs: dim, contextDim, stages, heads: Array.from({ length: heads }, (_, kind) => head(first, kind)) };
}
