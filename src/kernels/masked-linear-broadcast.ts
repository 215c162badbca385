import * as source from './generated/masked-linear-broadcast.js';
import { broadcastKernel } from './linear-strips.js';

/** A variant of `maskedLinear`: 8 rows and 128 outputs an invocation, weights loaded by the lanes of a subgroup and broadcast. */
export const maskedLinearBroadcast = /*#__PURE__*/ broadcastKernel(source.maskedLinearBroadcast);
