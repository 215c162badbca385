// Every kernel that has variants, and these. All of a family take the same bindings, parameters and constants and differ in how invocations
// share the work; a new variant is a line here, and its tests are those of its family (tests/cases/variants.ts).

import { autoregressiveSolveAffineQuad } from '../kernels/autoregressive-solve-affine-quad.js';
import { autoregressiveSolveAffineTeam } from '../kernels/autoregressive-solve-affine-team.js';
import { autoregressiveSolveMixtureQuad } from '../kernels/autoregressive-solve-mixture-quad.js';
import { autoregressiveSolveMixtureTeam } from '../kernels/autoregressive-solve-mixture-team.js';
import { autoregressiveSolveSplineQuad } from '../kernels/autoregressive-solve-spline-quad.js';
import { autoregressiveSolveSplineTeam } from '../kernels/autoregressive-solve-spline-team.js';
import { weightGradientQuad } from '../kernels/linear-backward-quad.js';
import { linearInputBroadcast } from '../kernels/linear-input-backward-broadcast.js';
import { linearInputQuad } from '../kernels/linear-input-backward-quad.js';
import { maskedLinearBroadcast } from '../kernels/masked-linear-broadcast.js';
import { maskedLinearFew } from '../kernels/masked-linear-few.js';
import { maskedLinearHalfFew } from '../kernels/masked-linear-half-few.js';
import { maskedLinearHalfQuad } from '../kernels/masked-linear-half-quad.js';
import { maskedLinearHalfShared } from '../kernels/masked-linear-half-shared.js';
import { maskedLinearQuad } from '../kernels/masked-linear-quad.js';
import { maskedLinearShared } from '../kernels/masked-linear-shared.js';
import type { RowsClass } from '../runtime/choices.js';
import type { Kernel, KernelSource } from '../runtime/kernel.js';

export type Family = Readonly<Record<RowsClass, readonly Kernel[]>>;

const general = <S extends KernelSource>(...kernels: readonly Kernel<S>[]) => kernels as unknown as readonly Kernel[];
const linear = general(maskedLinearQuad, maskedLinearBroadcast, maskedLinearShared);
const half = general(maskedLinearHalfQuad, maskedLinearHalfShared);
const always = <S extends KernelSource>(...kernels: readonly Kernel<S>[]): Family => ({
  many: general(...kernels),
  few: general(...kernels),
});

/** By the name of the entry point, with hyphens: an import of the kernels themselves would keep those that a page does not use in its bundle. */
export const families: Readonly<Record<string, Family>> = {
  'masked-linear': { many: linear, few: [...linear, ...general(maskedLinearFew)] },
  'masked-linear-half': { many: half, few: [...half, ...general(maskedLinearHalfFew)] },
  'linear-input': always(linearInputQuad, linearInputBroadcast),
  'weight-gradient': always(weightGradientQuad),
  'autoregressive-solve-affine': always(autoregressiveSolveAffineQuad, autoregressiveSolveAffineTeam),
  'autoregressive-solve-mixture': always(autoregressiveSolveMixtureQuad, autoregressiveSolveMixtureTeam),
  'autoregressive-solve-spline': always(autoregressiveSolveSplineQuad, autoregressiveSolveSplineTeam),
};
