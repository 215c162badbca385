// The real table of the page: bench/data/README.md says where it comes from, and under which terms.

import { parseNpy } from '../../../src/cli/npy.js';
import { uniformGenerator } from '../../../src/flows/recipes/initial.js';
import { type DataSet, tableData } from './data.js';

const columns = ['delay / minutes', 'distance / miles', 'departure / minutes'];

/**
 * 200 000 flights. All columns are whole numbers, which have no density: each is spread evenly over the unit that it was rounded to.
 *
 * @throws Error where the file does not come.
 */
export async function loadFlights(): Promise<DataSet> {
  const response = await fetch(new URL('../../../bench/data/flights.npy', import.meta.url));
  if (!response.ok) throw new Error(`The flights did not load: ${response.status} ${response.statusText}.`);
  const { rows, values } = parseNpy(await response.arrayBuffer());
  const uniform = uniformGenerator(2);
  return tableData('200 000 flights', { columns, rows, values: values.map((whole) => whole + uniform() - 0.5) });
}
