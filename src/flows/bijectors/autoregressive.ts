import { fill } from '../../kernels/fill.js';
import { implicit } from '../../kernels/implicit.js';
import { multiplyAdd } from '../../kernels/multiply-add.js';
import { permute } from '../../kernels/permute.js';
import { UnsupportedError } from '../../runtime/errors.js';
import type { Recorder } from '../../runtime/recorder.js';
import { NONE, type TiledTensor } from '../../runtime/tensor.js';
import type { Bijector, BijectorCall } from '../bijector.js';
import type { Conditioner } from '../conditioner/conditioner.js';
import { identityOrder, recordLinear } from '../conditioner/packing.js';
import { type ParallelPlan, planParallel, recordParallel } from '../conditioner/parallel-plan.js';
import { readiness } from '../conditioner/readiness.js';
import { planSolve, type SolvePanel, type SolvePlan } from '../conditioner/solve-plan.js';
import { startLogDet } from '../task.js';
import { slotTable, type Transformer } from '../transformers/transformer.js';

/**
 * Each feature is moved by a transformer whose parameters are a network of the features before it (MAF; autoregressive splines). Forward is one parallel pass; inverse goes feature by
 * feature and computes each hidden unit once, so it costs one network pass as well. `new Inverse(…)` of it is an IAF, whose network reads
 * the noise. Papamakarios et al. 2017, arXiv:1705.07057; Kingma et al. 2016, arXiv:1606.04934.
 */
export class Autoregressive implements Bijector {
  readonly name = 'masked-autoregressive';
  readonly dim: number;
  readonly contextDim: number;
  readonly #parallel: ParallelPlan;
  readonly #slot: Uint32Array<ArrayBuffer>;
  readonly #steps: number;
  readonly #solve: () => SolvePlan;
  /** The solve as one panel. */
  readonly #whole: () => SolvePanel;
  readonly #transformer: Transformer;

  /**
   * @param conditioner masked; heads over all D features.
   * @throws UnsupportedError where the masks are not autoregressive.
   */
  constructor(conditioner: Conditioner, transformer: Transformer) {
    const ready = readiness(conditioner);
    if (ready === null) throw new UnsupportedError(this.name, 'a set of masks by which a feature depends on itself, or two on each other,');
    this.dim = conditioner.inputs;
    this.contextDim = conditioner.contextDim;
    this.#transformer = transformer;
    this.#parallel = planParallel(conditioner, ready);
    this.#slot = slotTable(this.dim, identityOrder(this.dim), this.#parallel);
    this.#steps = ready.steps;
    let solve: SolvePlan | null = null; // packed on first use: a flow used in one direction packs its weights once
    this.#solve = () => {
      solve ??= planSolve(conditioner, ready);
      return solve;
    };
    let whole: SolvePanel | null = null;
    this.#whole = () => {
      const { panels } = this.#solve();
      whole ??= panels.length === 1 ? panels[0]! : planSolve(conditioner, ready, Number.POSITIVE_INFINITY).panels[0]!;
      return whole;
    };
  }

  forward(r: Recorder, x: TiledTensor, call: BijectorCall): TiledTensor {
    return this.#recordForward(r, x, call);
  }

  #recordForward(r: Recorder, x: TiledTensor, { logDet, context }: BijectorCall, onTerms?: (terms: TiledTensor) => void): TiledTensor {
    const parameters = recordParallel(r, this.#parallel, x, context);
    const call = { parameters, slot: this.#slot, slots: this.dim, forward: true, logDet };
    return this.#transformer.record(r, x, onTerms ? { ...call, onTerms } : call);
  }

  inverse(r: Recorder, z: TiledTensor, call: BijectorCall): TiledTensor {
    return r.differentiable ? this.#differentiableInverse(r, z, call) : this.#recordSolve(r, z, call);
  }

  /** The solution, then the parallel pass at it, by which it is differentiated (shaders/implicit.wgsl), and again for the log-det. */
  #differentiableInverse(r: Recorder, z: TiledTensor, { logDet, context }: BijectorCall): TiledTensor {
    const value = this.#recordSolve(r, z, { logDet: null, context });
    const log_slope = r.tiled(this.dim, 'log-slopes');
    r.run(fill, { buffers: { destination: log_slope }, params: { features: this.dim, value: 0 } });
    const onTerms = (terms: TiledTensor) =>
      r.run(permute, {
        buffers: { x: terms, index: r.constant(this.#slot, 'slot'), y: log_slope },
        params: { features: this.dim, source_features: terms.features },
      });
    const image = this.#recordForward(r, value, { logDet: startLogDet(r), context }, onTerms);
    const x = r.tiled(this.dim, 'x');
    r.run(implicit, { buffers: { value, goal: z, image, log_slope, y: x }, params: { features: this.dim, steps: this.#steps } });
    if (!logDet) return x;
    const back = startLogDet(r);
    this.#recordForward(r, x, { logDet: back, context });
    r.run(multiplyAdd, {
      buffers: { a: back, b: NONE, y: logDet },
      params: { features: 1, a_features: 1, a_at: 0, b_features: 1, y_features: 1, y_at: 0, factor: -1 },
      constants: { HAS_B: false, ADD: true },
    });
    return x;
  }

  #recordSolve(r: Recorder, source: TiledTensor, { logDet, context }: BijectorCall): TiledTensor {
    const plan = this.#solve();
    const side = plan.side.length + plan.panels.length > 1 ? r.tiled(plan.sideFeatures, 'context terms') : null;
    for (const { packed, at, activation } of plan.side)
      recordLinear(r, packed, context!, side!, { label: 'context term', activation, yAt: at });
    const result = r.tiled(this.dim, 'x');
    const state = r.tiled(plan.nodes, 'solve state');
    const log_det = logDet ?? r.tiled(1, 'unused');
    let written = plan.side.length > 0;
    for (const { products, tasks, taskCount, weight, bias } of plan.panels) {
      written ||= products.length > 0;
      for (const { packed, inputRow, at } of products) recordLinear(r, packed, state, side!, { label: 'panel', xAt: inputRow, yAt: at });
      this.#transformer.recordSolve(r, {
        buffers: {
          source,
          weight: { ...r.constant(weight, 'solve weight'), parts: plan.parts },
          bias: r.constant(bias, 'solve bias'),
          tasks: { ...r.constant(tasks, 'solve tasks'), whole: plan.chain && !plan.general ? this.#whole : null },
          side: (written && side) || NONE, // no strip reads sums before there are some
          state,
          result,
          log_det,
        },
        params: { tasks: taskCount, nodes: plan.nodes, dim: this.dim, side_features: plan.sideFeatures },
        constants: { HAS_LOG_DET: logDet !== null, GENERAL: plan.general, PANELS: plan.panels.length > 1 },
      });
    }
    return result;
  }
}
