// Weights in float16 on the device, for a flow whose file has them so: half the memory, and half of what a small batch waits for. Loads with such a flow.
// A command with weights that float16 holds exactly runs a kernel that reads them as that; others, whose weights are computed, run as they were recorded.

import { packHalves } from '../format/half.js';
import { autoregressiveSolveAffineHalf } from '../kernels/autoregressive-solve-affine-half.js';
import { autoregressiveSolveMixtureHalf } from '../kernels/autoregressive-solve-mixture-half.js';
import { autoregressiveSolveSplineHalf } from '../kernels/autoregressive-solve-spline-half.js';
import { maskedLinearHalf } from '../kernels/masked-linear-half.js';
import type { Kernel, KernelSource } from '../runtime/kernel.js';
import { memo } from '../runtime/memo.js';
import { type Command, createProgram, type Program } from '../runtime/program.js';

const general = <S extends KernelSource>(kernel: Kernel<S>) => kernel as unknown as Kernel;

/** By the name of the kernel with weights in float32. */
export const halfKernels: Readonly<Record<string, Kernel>> = {
  'masked-linear': general(maskedLinearHalf),
  'autoregressive-solve-affine': general(autoregressiveSolveAffineHalf),
  'autoregressive-solve-mixture': general(autoregressiveSolveMixtureHalf),
  'autoregressive-solve-spline': general(autoregressiveSolveSplineHalf),
};

const packed = new WeakMap<object, Uint32Array<ArrayBuffer> | null>();

function withHalves(command: Command): Command {
  const kernel = halfKernels[command.kernel.source.name];
  const { weight } = command.tensors;
  if (!kernel || weight?.kind !== 'constant' || weight.from || weight.data.length % 4 !== 0) return command;
  const data = memo(packed, weight.data, () => packHalves(weight.data as Float32Array));
  return data ? { ...command, kernel, tensors: { ...command.tensors, weight: { ...weight, data, dtype: 'u32' } } } : command;
}

export const halveProgram = (program: Program): Program => createProgram(program.commands.map(withHalves));
