import { defineRule, type OriginRule } from '../../runtime/derivative.js';
import type { TableTensor } from '../../runtime/tensor.js';
import { diagonalAffine } from '../diagonal-affine.js';
import { diagonal, MAP_NUMBER } from '../diagonal-backward.js';
import { recordGather } from '../parameters.js';
import { accumulate } from './accumulate.js';
import { lengthOf } from './tables.js';

/** Places of the constants of x ↦ factor · x among those of the map: the two parts of the factor, and zeros around. */
const linearPart = (features: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.from({ length: 4 * features }, (_, i) => (i >= features && i < 3 * features ? 1 + i : 0));

export const diagonalAffineRule = /*#__PURE__*/ defineRule(
  diagonalAffine,
  (r, { buffers: { x, constants }, params: { features } }, gradients) => {
    const dY = gradients.of('y');
    if (!dY) return;
    const gradient = gradients.intoTable('constants');
    if (gradient)
      r.run(diagonal.gradient, { buffers: { source: x, made: constants, d_z: dY, gradient }, params: { features, sign: 1, setting: 0 } });
    const dX = gradients.into('x');
    if (!dX) return;
    const factor = gradients.fromTable('constants', () =>
      recordGather(r, constants, linearPart(features), new Float32Array(4 * features), 'factor'),
    );
    accumulate(r, dX, (y) => r.run(diagonalAffine, { buffers: { x: dY, constants: factor, y }, params: { features } }));
  },
);

export const diagonalConstantsRule = /*#__PURE__*/ defineRule(
  diagonal.constants,
  (r, { buffers: { raw, constants: made }, params, constants }, gradients) => {
    const { features } = params;
    const [dConstants, dLogDet] = [gradients.ofTable('constants'), gradients.ofTable('log_det')];
    const into = (name: string): TableTensor => gradients.intoTable(name) ?? r.table(features, 'unused');
    const zeros = (length: number) => r.constant(new Float32Array(length), 'zeros');
    r.run(diagonal.constantsBackward, {
      buffers: {
        raw,
        made,
        d_constants: dConstants ?? zeros(4 * features),
        d_log_det: dLogDet ?? zeros(4),
        d_center: into('center'),
        d_raw: into('raw'),
        d_offset: into('offset'),
        d_shift: into('shift'),
      },
      params,
      constants,
    });
  },
);

export const diagonalOrigin: OriginRule = {
  kind: 'diagonal',
  record: (r, { center, raw, offset, shift }, { map, setting, sign }) => {
    const features = lengthOf(raw!);
    const tables = { constants: r.table(4 * features, 'constants'), log_det: r.table(1, 'log-det') };
    r.run(diagonal.constants, {
      buffers: { center: center!, raw: raw!, offset: offset!, shift: shift!, ...tables },
      params: { features, sign: Number(sign), setting: Number(setting) },
      constants: { MAP: MAP_NUMBER[map as keyof typeof MAP_NUMBER] },
    });
    return tables;
  },
};

/** What shaders/triangular-solve.wgsl divides by: 1 / scale in the order of its places, without a shift. */
export const substitutionOrigins = /*#__PURE__*/ ['lower', 'upper'].map(
  (kind): OriginRule => ({
    kind,
    record: (r, inputs, settings) => {
      const { constants } = diagonalOrigin.record(r, inputs, { ...settings, sign: -1 });
      const features = lengthOf(inputs.raw!);
      const last = kind === 'upper' ? features - 1 : 0;
      const places = Uint32Array.from({ length: 3 * features }, (_, i) => 1 + i - (i % features) + Math.abs(last - (i % features)));
      return { constants: recordGather(r, constants!, places, new Float32Array(3 * features), 'reciprocals') };
    },
  }),
);

export const diagonalEntriesRule = /*#__PURE__*/ defineRule(
  diagonal.entries,
  (r, { buffers: { raw, on }, params, constants }, gradients) => {
    const [d_entries, d_raw] = [gradients.ofTable('entries'), gradients.intoTable('raw')];
    if (d_entries && d_raw) r.run(diagonal.entriesBackward, { buffers: { raw, on, d_entries, d_raw }, params, constants });
  },
);

/** Packed weights of which some are a scale: those of a triangle's diagonal. */
export const entriesOrigin: OriginRule = {
  kind: 'diagonal entries',
  record: (r, { raw, on }, { map, setting }) => {
    const features = lengthOf(raw!);
    const entries = r.table(features, 'entries');
    r.run(diagonal.entries, {
      buffers: { raw: raw!, on: on!, entries },
      params: { features, sign: 1, setting: Number(setting) },
      constants: { MAP: MAP_NUMBER[map as keyof typeof MAP_NUMBER] },
    });
    return { entries };
  },
};

export const diagonalProductRule = /*#__PURE__*/ defineRule(diagonal.product, (r, { buffers: { raw, offset }, params }, gradients) => {
  const d_constants = gradients.ofTable('constants');
  if (!d_constants) return;
  const into = (name: string): TableTensor => gradients.intoTable(name) ?? r.table(params.features, 'unused');
  r.run(diagonal.productBackward, {
    buffers: {
      raw,
      offset,
      d_constants,
      d_center: into('center'),
      d_raw: into('raw'),
      d_offset: into('offset'),
      d_shift: into('shift'),
    },
    params,
  });
});

/** Constants of a map whose factor is raw · offset, of either sign: a batch norm inside a net, where offset is (variance + eps)^−½. */
export const productOrigin: OriginRule = {
  kind: 'product',
  record: (r, { center, raw, offset, shift }) => {
    const features = lengthOf(raw!);
    const constants = r.table(4 * features, 'constants');
    r.run(diagonal.product, {
      buffers: { center: center!, raw: raw!, offset: offset!, shift: shift!, constants },
      params: { features, sign: 1, setting: 0 },
    });
    return { constants };
  },
};
