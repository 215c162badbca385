import { seriesTable, type TermCount } from '../../src/flows/bijectors/residual-plan.js';
import type { MlpActivation } from '../../src/flows/conditioner/tangents.js';
import { PROBE_NUMBER } from '../../src/kernels/divergence.js';
import { residualSeries } from '../../src/kernels/residual-series.js';
import { contractiveNet } from '../support/residual-nets.js';
import { defineCases, ROWS, table, tiledNormals, unread } from './case.js';

interface Options {
  readonly rows?: number;
  readonly firstRow?: number;
  readonly seed?: number;
  readonly activation?: MlpActivation;
  readonly terms?: number;
  readonly probe?: keyof typeof PROBE_NUMBER;
  readonly probes?: number;
  readonly count?: TermCount | null;
  readonly side?: boolean;
  readonly sign?: 1 | -1;
}

const series = (dim: number, hidden: readonly number[], options: Options = {}) => {
  const {
    rows = 257,
    firstRow = 0,
    seed = 2026,
    activation = 'lipswish',
    terms = 8,
    probe = 'unit',
    count = null,
    side = false,
    sign = 1,
  } = options;
  const probes = probe === 'unit' ? dim : (options.probes ?? 1);
  const { net } = contractiveNet(dim, hidden, activation, 0.8);
  const nodes = 2 * net.width + dim + net.slopeFeatures;
  const sideFeatures = side ? hidden[0]! : 1;
  const coefficients = seriesTable(terms, count ? 2 : terms, count, probe === 'unit' ? 1 : probes);
  return {
    name: [
      `D ${dim}, hidden ${hidden.join(' ')}, ${rows} rows from ${firstRow}, ${activation}, ${terms} terms, ${probes} × ${probe}`,
      ...(count ? [`${count.distribution} ${count.rate}`] : []),
      ...(side ? ['context'] : []),
      `sign ${sign}`,
    ].join(', '),
    rows,
    firstRow,
    seed,
    params: {
      dim,
      layers: hidden.length + 1,
      width: net.width,
      nodes,
      side_features: sideFeatures,
      probes,
      terms: coefficients.length / 2,
      stream: 77,
      sign,
    },
    constants: { ACTIVATION: net.activation, SIDE: side, SLOPES: true, PROBE: PROBE_NUMBER[probe] },
    buffers: {
      state: tiledNormals(nodes, Number.NaN), // nothing may be read before it is computed
      weight: table(() => net.weight),
      bias: table(() => net.bias),
      layers: table(() => net.layers),
      side: side ? tiledNormals(sideFeatures, 0.5) : unread,
      source: tiledNormals(dim),
      series: table(() => coefficients),
      log_det: tiledNormals(1),
    },
    tolerance: { bound: 2e-6 },
    scratch: ['state'],
  };
};

const geometric = { distribution: 'geometric', rate: 0.5 } as const;

export const residualSeriesCases = defineCases(residualSeries, [
  ...ROWS.map((rows) => series(5, [20, 20], { rows, probe: 'rademacher' })),
  series(1, [7]),
  series(2, [33]),
  series(2, []),
  series(63, [70], { probe: 'gaussian', terms: 3 }),
  // All are one function, and cases of activation and activation-backward.
  ...(['tanh', 'relu', 'softplus'] as const).map((activation) => series(5, [20, 20], { activation })),
  series(5, [20], { probe: 'gaussian', probes: 3 }),
  series(5, [20], { probe: 'rademacher', probes: 3, seed: 2 ** 53 - 1, firstRow: 65_536 + 64 }),
  series(5, [20], { probe: 'rademacher', count: geometric, terms: 40 }),
  series(5, [20], { count: { distribution: 'poisson', rate: 2 }, terms: 40 }),
  series(5, [20], { count: geometric, terms: 40, side: true, sign: -1 }),
]);
