import * as source from './generated/class-table-backward.js';
import { elementKernel } from './geometry.js';

export const classTableBackward = /*#__PURE__*/ elementKernel(source.classTableBackward, ({ classes, features }) => classes * features);
