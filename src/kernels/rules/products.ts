import type { OriginRule } from '../../runtime/derivative.js';
import { products } from '../parameters.js';
import { lengthOf } from './tables.js';

/** Packed numbers of a solve over norms. */
export const productsOrigin: OriginRule = {
  kind: 'sums of products',
  record: (r, { left, right, factors, starts }) => {
    const length = lengthOf(starts!) - 1;
    const table = r.table(length, 'sums of products');
    r.run(products, { buffers: { left: left!, right: right!, factors: factors!, starts: starts!, table }, params: { length } });
    return { table };
  },
};
