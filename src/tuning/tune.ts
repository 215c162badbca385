// Chooses between the variants of what a Gpu has compiled, by timing them. Loads when `gpu.tune` is called.

import { FEW_ROWS, type RowsClass, shapeOf } from '../runtime/choices.js';
import { ValueError } from '../runtime/errors.js';
import type { Gpu } from '../runtime/gpu.js';
import type { Kernel } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';
import { familyName } from './family-name.js';
import { fusionsOf } from './fuse.js';
import { netKernels } from './fuse-net.js';
import { fuse } from './fusion.js';
import { type Alternatives, measure } from './measure.js';
import { quadFused } from './quad-fusions.js';
import { APART, commandsOf, findingsOf, fusionsOn, reportOf, type TuningReport } from './report.js';
import { platformStore, type Remembered } from './store.js';
import { families } from './variants.js';

export interface TuneOptions {
  /** Rows of the batches to come, or several of them: up to 8 choose for batches of few rows, the largest for all others. Default 1024. */
  readonly rows?: number | readonly number[];
  /** No further shape is begun after so long, and a variant that takes as long to compile is refused. Default 5000. */
  readonly milliseconds?: number;
  /** Whether choices are read from, and kept in, IndexedDB or Node's file `~/.cache/pushforward/variants.json`. Default true. */
  readonly remember?: boolean;
  /** Stops between two shapes; what was chosen until then stays. */
  readonly signal?: AbortSignal;
}

/** What a variant must save to be worth another order of sums. */
const GAIN = 0.95;

/** FNV-1a of all texts: choices are forgotten when a shader changes. */
function version(): string {
  let hash = 0x811c9dc5;
  for (const { source } of [...Object.values(families).flatMap(({ few }) => few), ...netKernels, ...quadFused])
    for (let i = 0; i < source.wgsl.length; i++) hash = Math.imul(hash ^ source.wgsl.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16);
}

function keyOf(gpu: Gpu): string {
  const { vendor, architecture, device, description }: Partial<GPUAdapterInfo> = gpu.device.adapterInfo ?? {}; // older browsers have none
  return JSON.stringify([vendor, architecture, device, description, version()]);
}

const variantsOf = ({ choices }: Gpu, { kernel }: Command, rows: RowsClass): readonly Kernel[] => [
  kernel,
  ...families[familyName(kernel)]![rows].filter(choices.compiles),
];

function batchesOf({ rows = 1024 }: TuneOptions): Partial<Record<RowsClass, number>> {
  const all = typeof rows === 'number' ? [rows] : rows;
  const wrong = all.find((count) => !Number.isInteger(count) || count < 1 || count > 2 ** 24);
  if (all.length === 0 || wrong !== undefined)
    throw new ValueError('gpu.tune: rows', 'whole numbers from 1 to 2²⁴', String(wrong ?? 'none'));
  const [few, many] = [all.filter((count) => count <= FEW_ROWS), all.filter((count) => count > FEW_ROWS)];
  return { ...(few.length > 0 && { few: Math.max(...few) }), ...(many.length > 0 && { many: Math.max(...many) }) };
}

export async function tune(gpu: Gpu, options: TuneOptions = {}): Promise<TuningReport> {
  const { milliseconds = 5000, remember = true, signal } = options;
  const batches = batchesOf(options);
  if (!(milliseconds > 0)) throw new ValueError('gpu.tune: milliseconds', 'a positive number', String(milliseconds));
  gpu.assertAlive();
  const begin = performance.now();
  await Promise.all([...gpu.owners].map((owner) => owner.compileDefaults()));
  const findings = findingsOf(gpu);
  const store = remember ? platformStore() : null;
  const remembered: Record<string, string> = { ...(await store?.read(keyOf(gpu)).catch((): Remembered => ({}))) };
  let fresh = false;
  /** What to run of several alternatives; undefined where there is no time left. */
  const decide = async (key: string, alternatives: Alternatives, usual: string, count: number): Promise<string | undefined> => {
    const known = remembered[key];
    if (known !== undefined && Object.hasOwn(alternatives, known)) {
      findings.set(key, { because: 'remembered', milliseconds: {}, refused: {} });
      return known;
    }
    if (signal?.aborted || performance.now() - begin > milliseconds) return undefined;
    const measured = await measure(gpu, alternatives, count, milliseconds);
    const [best, time] = Object.entries(measured.milliseconds).reduce((a, b) => (b[1] < a[1] ? b : a));
    findings.set(key, { because: 'measured', ...measured });
    remembered[key] = time < GAIN * (measured.milliseconds[usual] ?? Number.POSITIVE_INFINITY) ? best : usual;
    fresh = true;
    return remembered[key];
  };
  for (const [shape, command] of commandsOf(gpu, 'recorded')) {
    for (const [rows, count] of Object.entries(batches) as [RowsClass, number][]) {
      const key = `${rows} ${shape}`;
      if (findings.has(key)) continue;
      const kernels = new Map(variantsOf(gpu, command, rows).map((kernel) => [kernel.source.name, kernel]));
      const alternatives = Object.fromEntries([...kernels].map(([name, kernel]) => [name, [[command, kernel] as const]]));
      const chosen = await decide(key, alternatives, gpu.choices.of(command, rows).source.name, count);
      if (chosen !== undefined) gpu.choices.measured.set(key, kernels.get(chosen)!);
    }
  }
  // Then what can be fused, beside its parts as they run now. One choice for all batches, by the largest.
  const [rows, count] = batches.many ? (['many', batches.many] as const) : (['few', batches.few!] as const);
  for (const [key, { parts, command }] of fusionsOn(gpu)) {
    if (findings.has(key)) continue;
    const apart = parts.map((part) => [part, gpu.choices.of(part, rows)] as const);
    const { name } = command.kernel.source;
    const usual = gpu.choices.fuses(command) ? name : APART;
    const chosen = await decide(key, { [APART]: apart, [name]: [[command, command.kernel]] }, usual, count);
    if (chosen !== undefined) gpu.choices.fused.set(shapeOf(command), chosen === name);
  }
  gpu.choices.fuse = (recorded) => fuse(recorded, fusionsOf(recorded), ({ command }) => gpu.choices.fuses(command));
  for (const owner of gpu.owners) for (const executable of owner.executables) executable.adopt(await gpu.pipelinesOf(executable.recorded));
  // A browser may refuse to store anything; choices then last as long as this Gpu.
  if (fresh) await store?.write(keyOf(gpu), remembered).catch(() => {});
  return reportOf(gpu);
}
