// A density that the user writes in WGSL, and its gradient: the one kernel whose text is not the library's.

import { ceilDiv, defineKernel, type Flag, type Kernel, kernelSource, shaderText } from '../runtime/kernel.js';
import { TILE } from '../runtime/tensor.js';

// Every name of ours begins with `pushforward`, but for D, so that the user's are free. Reads the rows out of shaders/lib/call.wgsl.
const wrapper = (dim: number): string => `const D = ${dim}u;
struct PushforwardCall { rows: vec2<u32> }
@group(0) @binding(0) var<uniform> pushforward_call: PushforwardCall;
@group(0) @binding(2) var<storage, read> pushforward_x: array<f32>;
@group(0) @binding(3) var<storage, read_write> pushforward_value: array<f32>;
@group(0) @binding(4) var<storage, read_write> pushforward_slope: array<f32>;
@compute @workgroup_size(64)
fn pushforward_target(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= (pushforward_call.rows.x | (pushforward_call.rows.y << 16u))) { return; }
  let at = (id.x / 64u) * 64u * D + id.x % 64u;
  var x: array<f32, D>;
  for (var f = 0u; f < D; f++) { x[f] = pushforward_x[at + 64u * f]; }
  pushforward_value[id.x] = log_density(x);
  var slope: array<f32, D> = log_density_gradient(x);
  for (var f = 0u; f < D; f++) { pushforward_slope[at + 64u * f] = slope[f]; }
}
`;

type TargetSource = ReturnType<typeof kernelSource<{ x: 'f32'; value: 'f32'; slope: 'f32' }, never, Record<never, Flag>>>;

/** value [1, rows] = log_density(x) and slope [D, rows] = its gradient, one invocation a row. */
export const targetKernel = (dim: number, wgsl: string): Kernel<TargetSource> =>
  defineKernel(
    kernelSource<{ x: 'f32'; value: 'f32'; slope: 'f32' }, never, Record<never, Flag>>(
      'target',
      'call',
      shaderText('', 'x:f value:f! slope:f!', wrapper(dim) + wgsl, true),
      'pushforward_target',
    ),
    (rows) => [ceilDiv(rows, TILE), 1, 1],
  );
