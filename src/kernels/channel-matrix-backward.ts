import { ceilDiv } from '../runtime/kernel.js';
import * as source from './generated/channel-matrix-backward.js';
import { listKernel } from './geometry.js';
import { STRIP } from './linear-strips.js';

export const channelMatrix = /*#__PURE__*/ listKernel(source.channelMatrix, ({ channels }) => ceilDiv(channels, STRIP) * STRIP * channels);
export const channelMatrixBackward = /*#__PURE__*/ listKernel(source.channelMatrixBackward, ({ channels }) => channels * channels);
