import * as source from './generated/linear-input-backward-broadcast.js';
import { broadcastKernel } from './linear-strips.js';

/** A variant of `linearInput`: weights loaded by the lanes of a subgroup and broadcast. */
export const linearInputBroadcast = /*#__PURE__*/ broadcastKernel(source.linearInputBroadcast, true);
