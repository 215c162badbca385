// Every kernel that has variants, and these. All of a family take the same bindings, parameters and constants and differ in how invocations
// share the work; a new variant is a line here, and its tests are those of its family (tests/cases/variants.ts).

import { autoregressiveSolveAffine } from '../kernels/autoregressive-solve-affine.js';
import { autoregressiveSolveAffineTeam } from '../kernels/autoregressive-solve-affine-team.js';
import { autoregressiveSolveMixture } from '../kernels/autoregressive-solve-mixture.js';
import { autoregressiveSolveMixtureTeam } from '../kernels/autoregressive-solve-mixture-team.js';
import { autoregressiveSolveSpline } from '../kernels/autoregressive-solve-spline.js';
import { autoregressiveSolveSplineTeam } from '../kernels/autoregressive-solve-spline-team.js';
import { maskedLinear } from '../kernels/masked-linear.js';
import { maskedLinearFew } from '../kernels/masked-linear-few.js';
import { maskedLinearMatrix } from '../kernels/masked-linear-matrix.js';
import { maskedLinearShared } from '../kernels/masked-linear-shared.js';
import type { RowsClass } from '../runtime/choices.js';
import type { Kernel, KernelSource } from '../runtime/kernel.js';

export interface Family {
  /** The kernel that programs record, and one of its own variants. */
  readonly kernel: Kernel;
  readonly others: Readonly<Record<RowsClass, readonly Kernel[]>>;
}

const family = <S extends KernelSource>(kernel: Kernel<S>, many: readonly Kernel<S>[], few: readonly Kernel<S>[] = many): Family => ({
  kernel: kernel as unknown as Kernel,
  others: { many: many as unknown as Kernel[], few: few as unknown as Kernel[] },
});

export const families: readonly Family[] = [
  family(maskedLinear, [maskedLinearMatrix, maskedLinearShared], [maskedLinearMatrix, maskedLinearShared, maskedLinearFew]),
  family(autoregressiveSolveAffine, [autoregressiveSolveAffineTeam]),
  family(autoregressiveSolveMixture, [autoregressiveSolveMixtureTeam]),
  family(autoregressiveSolveSpline, [autoregressiveSolveSplineTeam]),
];
