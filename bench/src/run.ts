// One run from the first ceiling to the last case, in a page or in Node. Knows nothing of either but whether a page is hidden.

import { Gpu, isSoftwareAdapter } from '../../src/index.js';
import { measureDirections } from './cases/directions.js';
import { measureFrames } from './cases/frame.js';
import { measureGrowth } from './cases/growth.js';
import { measureMaf } from './cases/maf.js';
import { measureMaskedLinear } from './cases/masked-linear.js';
import { measureSmall } from './cases/small.js';
import { measureStartUp } from './cases/start-up.js';
import { MultiplyAdds, measureCeilings } from './ceilings.js';
import { CompileTimes } from './compile.js';
import { clockStep, Stopwatch } from './measure.js';
import { type Environment, type Growth, type Results, type Row, schemaVersion, type TaskProfile } from './results.js';
import { adapterRequest, type SectionName, type Settings } from './settings.js';

/** What every case is given. */
export interface Bench {
  readonly gpu: Gpu;
  readonly settings: Settings;
  readonly watch: Stopwatch;
  readonly software: boolean;
  readonly fma: MultiplyAdds;
  readonly compileTimes: CompileTimes;
  progress(text: string): void;
}

const limitNames = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

async function describe(gpu: Gpu, watch: Stopwatch, about: About): Promise<Environment> {
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = gpu.device.adapterInfo;
  return {
    ...about,
    date: new Date().toISOString(),
    userAgent: navigator.userAgent,
    hardwareConcurrency: navigator.hardwareConcurrency,
    adapter: { vendor, architecture, device, description, subgroupSizes: `${subgroupMinSize ?? '?'}–${subgroupMaxSize ?? '?'}` },
    software: isSoftwareAdapter(gpu.device.adapterInfo),
    features: [...gpu.device.features].sort(),
    limits: Object.fromEntries(limitNames.map((name) => [name, gpu.device.limits[name]])),
    clock: { method: watch.method, timestampStep: await watch.quantum(), wallStep: clockStep() },
  };
}

export type About = Pick<Environment, 'library' | 'commit'>;

export async function runBenchmark(settings: Settings, about: About, progress: (text: string) => void): Promise<Results> {
  const begin = performance.now();
  const complaints: string[] = [];
  const page: Document | undefined = globalThis.document;
  const hidden = () => {
    if (page?.hidden) complaints.push('the page was hidden for a while: browsers slow hidden pages down');
  };
  page?.addEventListener('visibilitychange', hidden);
  hidden();
  const gpu = await Gpu.request(adapterRequest);
  gpu.device.addEventListener('uncapturederror', ({ error }) => complaints.push(error.message));
  try {
    const watch = new Stopwatch(gpu.device);
    const environment = await describe(gpu, watch, about);
    const partial = { gpu, settings, watch, software: environment.software, compileTimes: new CompileTimes(gpu), progress };
    const bench: Bench = { ...partial, fma: await MultiplyAdds.create(partial) };
    const rows: Row[] = [];
    let profiles: readonly TaskProfile[] = [];
    let growth: readonly Growth[] = [];
    const sections: Record<SectionName, () => Promise<readonly Row[]>> = {
      'start-up': () => measureStartUp(bench),
      ceilings: () => measureCeilings(bench),
      'masked-linear': () => measureMaskedLinear(bench),
      maf: async () => {
        const found = await measureMaf(bench);
        profiles = found.profiles;
        return found.rows;
      },
      growth: async () => {
        const found = await measureGrowth(bench);
        growth = found.growth;
        return found.rows;
      },
      directions: () => measureDirections(bench),
      small: () => measureSmall(bench),
      frame: () => measureFrames(bench),
      // The other libraries load when they are asked for: none of them shall run beside what is measured before.
      beside: async () => (await import('../beside/section.js')).measureBeside(bench),
    };
    for (const [name, measure] of Object.entries(sections)) {
      if (!settings.only.includes(name as SectionName)) continue;
      progress(name);
      rows.push(...(await measure()));
    }
    return {
      schema: schemaVersion,
      environment,
      settings,
      rows,
      profiles,
      growth,
      complaints,
      verified: rows.every(({ verified }) => verified),
      seconds: (performance.now() - begin) / 1000,
    };
  } finally {
    page?.removeEventListener('visibilitychange', hidden);
    gpu.dispose();
  }
}
