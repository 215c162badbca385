// Chooses between the variants of what a Gpu has compiled, by timing them. Loads when `gpu.tune` is called.

import { FEW_ROWS, type RowsClass } from '../runtime/choices.js';
import { ValueError } from '../runtime/errors.js';
import type { Gpu } from '../runtime/gpu.js';
import type { Kernel } from '../runtime/kernel.js';
import type { Command } from '../runtime/program.js';
import { measure } from './measure.js';
import { commandsOf, findingsOf, reportOf, type TuningReport } from './report.js';
import { platformStore, type Remembered } from './store.js';
import { families } from './variants.js';

export interface TuneOptions {
  /** Rows of the batches to come, or several of them: up to 8 choose for batches of few rows, the largest for all others. Default 1024. */
  readonly rows?: number | readonly number[];
  /** No further shape is begun after so long. Default 5000. */
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
  for (const { few } of Object.values(families))
    for (const { source } of few)
      for (let i = 0; i < source.wgsl.length; i++) hash = Math.imul(hash ^ source.wgsl.charCodeAt(i), 0x01000193) >>> 0;
  return hash.toString(16);
}

function keyOf(gpu: Gpu): string {
  const { vendor, architecture, device, description }: Partial<GPUAdapterInfo> = gpu.device.adapterInfo ?? {}; // older browsers have none
  return JSON.stringify([vendor, architecture, device, description, version()]);
}

const variantsOf = (command: Command, rows: RowsClass): readonly Kernel[] => families[command.kernel.source.name]![rows];

/** Takes a choice over; false where the name is no variant of the command. */
function choose(gpu: Gpu, key: string, command: Command, rows: RowsClass, name: string): boolean {
  const kernel = [command.kernel, ...variantsOf(command, rows)].find(({ source }) => source.name === name);
  if (kernel) gpu.choices.measured.set(key, kernel);
  return kernel !== undefined;
}

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
  for (const [shape, command] of commandsOf(gpu)) {
    for (const [rows, count] of Object.entries(batches) as [RowsClass, number][]) {
      const key = `${rows} ${shape}`;
      if (findings.has(key)) continue;
      const known = remembered[key];
      if (known !== undefined && choose(gpu, key, command, rows, known)) {
        findings.set(key, { because: 'remembered', milliseconds: {}, refused: {} });
        continue;
      }
      if (signal?.aborted || performance.now() - begin > milliseconds) continue;
      const measured = await measure(gpu, command, variantsOf(command, rows), count);
      const usual = gpu.choices.of(command, rows).source.name;
      const [best, time] = Object.entries(measured.milliseconds).reduce((a, b) => (b[1] < a[1] ? b : a));
      const chosen = time < GAIN * (measured.milliseconds[usual] ?? Number.POSITIVE_INFINITY) ? best : usual;
      choose(gpu, key, command, rows, chosen);
      findings.set(key, { because: 'measured', ...measured });
      remembered[key] = chosen;
      fresh = true;
    }
  }
  for (const owner of gpu.owners) for (const executable of owner.executables) executable.adopt(await gpu.pipelinesOf(executable.program));
  // A browser may refuse to store anything; choices then last as long as this Gpu.
  if (fresh) await store?.write(keyOf(gpu), remembered).catch(() => {});
  return reportOf(gpu);
}
