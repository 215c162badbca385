// Every op and base that a description may name.

import type { Hosting } from '../hosted.js';
import { autoregressiveOps } from './autoregressive.js';
import { boundedOps } from './bounded.js';
import { continuousOps } from './continuous.js';
import { couplingOps } from './coupling.js';
import { decoderBases } from './decoder.js';
import { elementwiseOps } from './elementwise.js';
import { imageBases, imageOps } from './image.js';
import { linearOps } from './linear.js';
import { mixtureOps } from './mixture.js';
import { planarOps } from './planar.js';
import { residualOps } from './residual.js';
import { splineOps } from './spline.js';
import { structureOps } from './structure.js';
import { zukoOps } from './zuko.js';

/** Builders of every op. A function, since a bundler keeps what a module's own spread names. @param adaptive runs solves with error control. */
export const operations = (adaptive: Hosting) => ({
  ...elementwiseOps,
  ...autoregressiveOps,
  ...couplingOps,
  ...linearOps,
  ...structureOps,
  ...imageOps,
  ...continuousOps(adaptive),
  ...residualOps,
  ...planarOps,
  ...boundedOps,
  ...mixtureOps,
  ...splineOps,
  ...zukoOps,
});

export const bases = () => ({ ...imageBases, ...decoderBases });
