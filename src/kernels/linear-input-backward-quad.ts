import * as source from './generated/linear-input-backward-quad.js';
import { quadKernel } from './linear-strips.js';

/** A variant of `linearInput`: weights shared within a quad. */
export const linearInputQuad = /*#__PURE__*/ quadKernel(source.linearInputQuad, true);
