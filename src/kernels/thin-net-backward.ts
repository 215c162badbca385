import * as source from './generated/thin-net-backward.js';
import { thinNetKernel } from './thin-net.js';

export const thinNetBackward = /*#__PURE__*/ thinNetKernel(source.thinNetBackward);
