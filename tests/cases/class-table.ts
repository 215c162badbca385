import { classTable } from '../../src/kernels/class-table.js';
import { paddedRows } from '../../src/runtime/tensor.js';
import { type BufferSpec, defineCases, ROWS, table, tiledNormals } from './case.js';

interface ClassShape {
  readonly features: number;
  readonly classes: number;
  readonly rows: number;
  /** Context features before and after the label. Default 0. */
  readonly at?: number;
}

/** Labels, and between them what is none: a fraction, a negative number, one too many, infinities and NaN. */
export const labels = (classes: number, at: number): BufferSpec => ({
  layout: 'tiled',
  make: (random, rows) => {
    const odd = [0.5, -0, -1, classes, 1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, classes - 0.25];
    const label = (row: number) => (row % 7 === 3 ? odd[Math.floor(row / 7) % odd.length]! : random.integer(classes));
    const width = 2 * at + 1;
    const data = new Float32Array(paddedRows(rows) * width).fill(Number.NaN);
    for (let row = 0; row < rows; row++) data[(Math.floor(row / 64) * width + at) * 64 + (row % 64)] = label(row);
    return data;
  },
});

const entry = ({ features, classes, rows, at = 0 }: ClassShape) => ({
  name: `${classes} classes, ${features} features, ${rows} rows${at ? `, label at ${at}` : ''}`,
  rows,
  params: { features, classes, label_features: 2 * at + 1, label_at: at },
  buffers: {
    labels: labels(classes, at),
    table: table((random) => random.normals(classes * features)),
    y: tiledNormals(features),
  },
  tolerance: { bound: 0 },
});

const shapes: ClassShape[] = [
  ...ROWS.map((rows) => ({ features: 5, classes: 3, rows })),
  ...[1, 2, 63].map((features) => ({ features, classes: 10, rows: 257, at: 2 })),
  { features: 5, classes: 1, rows: 1000 },
];

export const classTableCases = defineCases(classTable, shapes.map(entry));
