// The golden cases on wgpu and naga, which Firefox's WebGPU is made of, through Deno: the tests run on Dawn and Tint alone, which are Chrome's. Not part of
// the tests, since it needs an adapter that Vulkan, Metal or Direct3D 12 knows; llvmpipe of Mesa 22.3 or later will do.
//
//   npm run build && npx deno run -A --unstable-webgpu --unstable-sloppy-imports scripts/golden-wgpu.mjs [part of a name]
import { readFileSync } from 'node:fs';
import { Gpu, importTorch } from '../dist/index.js';
import { readSafetensors } from '../src/format/safetensors.ts';

/** Beside PyTorch's own float32 error, as in tests/golden.test.ts. */
const FACTOR = 4;

const folder = new URL('../tests/golden/', import.meta.url);
const read = (path) => readFileSync(new URL(path, folder));
const names = JSON.parse(read('index.json')).filter((name) => name.includes(process.argv[2] ?? ''));
const gpu = await Gpu.request();
console.info(`adapter: ${gpu.device.adapterInfo?.description}`);
const ratios = [];
let failed = 0;
for (const name of names) {
  const description = JSON.parse(read(`${name}/case.json`));
  const { tensors: io } = readSafetensors(read(`${name}/io.safetensors`));
  const numbers = (key) => Float64Array.from(io.get(key).data, Number);
  const input = (key) => (io.has(key) ? Float32Array.from(numbers(key)) : undefined);
  const given = (key) => (io.has(key) ? { context: input(key) } : {});
  const flow = await importTorch(gpu, description, read(`${name}/weights.safetensors`));
  const sampled = await flow.inverse(input('base_sample') ?? input('base_noise'), given('sample_context'));
  const got = { sample: sampled.x, sample_log_abs_det: sampled.logDet };
  if (io.has('x')) {
    const forward = await flow.forward(input('x'), given('context'));
    got.z = forward.z;
    got.log_abs_det = forward.logDet;
    got.log_prob = await flow.logProb(input('x'), given('context'));
  }
  flow.dispose();
  for (const [key, values] of Object.entries(got)) {
    const exact = numbers(key);
    const error = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - exact[i])), 0);
    const ratio = error / description.observed.float32_vs_float64[key].max_abs;
    ratios.push(ratio);
    const holds = ratio <= FACTOR; // false for NaN
    if (!holds) failed++;
    console.info(`${holds ? ' ' : '✗'} ${name.padEnd(34)} ${key.padEnd(20)} ${error.toExponential(2)}  ${ratio.toFixed(2)}`);
  }
}
const sorted = ratios.toSorted((a, b) => a - b);
console.info(
  `median ratio ${sorted[sorted.length >> 1].toFixed(2)}, largest ${sorted.at(-1).toFixed(2)}, ${ratios.length} figures, ${failed} beyond ${FACTOR}`,
);
process.exit(failed > 0 ? 1 : 0);
