// What the cases of all sequential solves share: a plan, and what one dispatch of it binds.

import { readiness } from '../../src/flows/conditioner/readiness.js';
import { planSolve, type SolvePanel, type SolvePlan } from '../../src/flows/conditioner/solve-plan.js';
import { type ConditionerShape, makeConditioner } from '../support/conditioners.js';
import { Random } from '../support/random.js';
import { table, tiledNormals, unread } from './case.js';

/** Units of a panel, in the cases of a later one: fewer than flows have, so that narrow nets are cut. */
const PANEL_UNITS = 50;

/** The plan decides the shapes, so its conditioner comes from a seed of the case, and only the activations are fresh in every run. */
export function solvePlanOf(seed: number, shape: ConditionerShape, cut = false): SolvePlan {
  const conditioner = makeConditioner(new Random(seed), shape);
  const ready = readiness(conditioner);
  if (!ready) throw new Error('the masks of a case are not autoregressive');
  return planSolve(conditioner, ready, cut ? PANEL_UNITS : undefined);
}

/** @param panel which dispatch of a plan that is cut; 0 for a plan of one. */
export function solvePanelOf(seed: number, shape: ConditionerShape, panel: number) {
  const plan = solvePlanOf(seed, shape, panel > 0);
  const part = plan.panels[panel] as SolvePanel;
  return {
    params: { tasks: part.taskCount, nodes: plan.nodes, dim: shape.dim, side_features: plan.sideFeatures },
    constants: { GENERAL: plan.general, PANELS: plan.panels.length > 1 },
    buffers: {
      weight: table(() => part.weight),
      bias: table(() => part.bias),
      tasks: table(() => part.tasks),
      side: plan.side.length + panel > 0 ? tiledNormals(plan.sideFeatures) : unread,
      // Nothing may be read before it is computed; a later panel finds what those before it computed.
      state: tiledNormals(plan.nodes, panel > 0 ? 1 : Number.NaN),
      result: tiledNormals(shape.dim),
      log_det: tiledNormals(1),
    },
  };
}
