import { defineKernel } from '../runtime/kernel.js';
import * as source from './generated/scale-tangents.js';
import { perRowGroupAndFeature } from './geometry.js';

export const scaleTangents = /*#__PURE__*/ defineKernel(source.scaleTangents, (rows, { features, blocks }) =>
  perRowGroupAndFeature(source.scaleTangents, rows, features * blocks),
);

export const seedTangents = /*#__PURE__*/ defineKernel(source.seedTangents, (rows, { features, blocks }) =>
  perRowGroupAndFeature(source.seedTangents, rows, features * blocks),
);
