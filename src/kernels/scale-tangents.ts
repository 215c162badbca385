import * as source from './generated/scale-tangents.js';
import { featureKernel } from './geometry.js';

export const scaleTangents = /*#__PURE__*/ featureKernel(source.scaleTangents, ({ features, blocks }) => features * blocks);

export const seedTangents = /*#__PURE__*/ featureKernel(source.seedTangents, ({ features, blocks }) => features * blocks);
