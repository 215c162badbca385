import { divergence, EVERY_PROBE, PROBE_NUMBER } from '../../src/kernels/divergence.js';
import { defineCases, ROWS, table, tiledNormals, ULP, unread } from './case.js';

const params = { scale_at: 0, total_features: 1, total_at: 0, stream: 0, factor: 1, domain: 2, largest: EVERY_PROBE };

const trace = (dim: number, hidden: number, rows = 257, flags: { readonly SCALE?: boolean; readonly SLOPE?: boolean } = {}) => ({
  name: [`D ${dim}, ${hidden} units, ${rows} rows`, ...Object.keys(flags)].join(', '),
  rows,
  params: { ...params, dim, hidden, scale_at: flags.SCALE ? 16 : 0, total_features: 9, total_at: 4 },
  constants: flags,
  buffers: {
    tangents: tiledNormals(dim * hidden),
    slope: flags.SLOPE ? tiledNormals(hidden) : unread,
    weight: table((random) => random.normals(dim * hidden)),
    scale: flags.SCALE ? table((random) => random.normals(16 + dim)) : unread,
    total: tiledNormals(9),
  },
  tolerance: { bound: (4 + (dim * hidden) / 24) * ULP, of: 'inputs' as const },
});

export const traceCases = defineCases(divergence.trace, [
  ...ROWS.map((rows) => trace(5, 7, rows)),
  ...[1, 2, 63].map((dim) => trace(dim, 25)),
  trace(2, 24),
  trace(3, 64, 257, { SCALE: true }),
  trace(3, 64, 257, { SLOPE: true }),
  trace(3, 49, 1000, { SCALE: true, SLOPE: true }),
]);

type Probe = keyof typeof PROBE_NUMBER;

const probes = (
  dim: number,
  count: number,
  rows: number,
  probe: Probe,
  call: { seed?: number; firstRow?: number } = {},
  largest = EVERY_PROBE,
) => ({
  name: `${count} ${probe} of D ${dim}, ${rows} rows from ${call.firstRow ?? 0}, seed ${call.seed ?? 2026}${largest < EVERY_PROBE ? ', some 0' : ''}`,
  rows,
  seed: 2026,
  ...call,
  params: { ...params, dim, hidden: count, stream: 3, largest },
  constants: { PROBE: PROBE_NUMBER[probe] },
  buffers: { y: tiledNormals(dim * count) },
  tolerance: { bound: probe === 'gaussian' ? 1e-6 : 0 },
});

export const probesCases = defineCases(divergence.probes, [
  ...ROWS.map((rows) => probes(5, 2, rows, 'gaussian')),
  ...[1, 2, 4, 63].flatMap((dim) => [probes(dim, 1, 257, 'rademacher'), probes(dim, 3, 257, 'gaussian'), probes(dim, dim, 257, 'unit')]),
  probes(2, 1, 257, 'rademacher', { seed: 2 ** 53 - 1 }),
  probes(2, 2, 257, 'gaussian', { firstRow: 65_536 + 64 }),
  probes(5, 3, 257, 'gaussian', {}, 2 ** 31),
  probes(5, 5, 257, 'unit', {}, 2 ** 30),
]);

const sum = (dim: number, count: number, rows = 257) => ({
  name: `${count} probes of D ${dim}, ${rows} rows`,
  rows,
  params: { ...params, dim, hidden: count, total_features: 8, total_at: 7, factor: 1 / count },
  buffers: { tangents: tiledNormals(dim * count), image: tiledNormals(dim * count), total: tiledNormals(8) },
  tolerance: { bound: (4 + (dim * count) / 24) * ULP, of: 'inputs' as const },
});

export const probeSumCases = defineCases(divergence.probeSum, [
  ...ROWS.map((rows) => sum(5, 2, rows)),
  ...[1, 2, 63].map((dim) => sum(dim, 1)),
  sum(23, 3),
]);
