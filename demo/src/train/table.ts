// Numbers in files that are dropped on the page.

import { parseCsv } from '../../../src/cli/csv.js';
import { parseNpy } from '../../../src/cli/npy.js';
import { DataError, type Table } from '../../../src/cli/table.js';

/** @throws DataError for what is neither, or holds something else than numbers. */
export async function readTable(file: File): Promise<Table> {
  if (/\.npy$/i.test(file.name)) return parseNpy(await file.arrayBuffer());
  if (/\.(csv|tsv|txt)$/i.test(file.name) || file.type.startsWith('text/')) return parseCsv(await file.text());
  throw new DataError(`${file.name} is neither a CSV nor a .npy file.`);
}
