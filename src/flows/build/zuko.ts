// zuko's transforms, each with either of its univariate maps: affine with a bounded log-scale, or a rational-quadratic spline.

import type { ZukoForm } from '../../format/description.js';
import { Coupling } from '../bijectors/coupling.js';
import { DiagonalAffine } from '../bijectors/diagonal-affine.js';
import { identityOrder } from '../conditioner/packing.js';
import { AffineTransformer } from '../transformers/affine.js';
import { autoregressive, bySlot, contextConditioner, coupling } from './conditioner.js';
import type { OpBuilders } from './op.js';
import { softclip } from './scale.js';
import { sharedSpline, splineTransformer } from './spline.js';

const transformerOf = (form: ZukoForm, place: string) =>
  form.form === 'rqs' ? splineTransformer(form.spline, place) : new AffineTransformer(softclip(form.slope, place));

export const zukoOps = {
  zuko_ar: (op, context) => autoregressive(op.net, transformerOf(op, context.place), context),

  zuko_coupling(op, context) {
    const having = (value: 0 | 1) => op.mask.flatMap((entry, i) => (entry === value ? [i] : []));
    return coupling(op.net, { identity: having(1), transform: having(0) }, transformerOf(op, context.place), context);
  },

  zuko_elementwise(op, context) {
    const { state, inputs: dim, place } = context;
    const features = identityOrder(dim);
    if (!op.phi) {
      const transformer = transformerOf(op, place);
      const name = op.form === 'rqs' ? 'conditional-spline' : 'conditional-affine';
      const conditioner = contextConditioner(op.net!, dim, bySlot(transformer), context);
      return new Coupling(dim, conditioner, transformer, features, { readsContext: true, name });
    }
    if (op.form === 'rqs') return sharedSpline(op.phi, op.spline, features, context, `${place}.spline`);
    const bound = softclip(op.slope, place).high!;
    const [shift, scale] = [state.parameter(op.phi[0] ?? '', [dim]), state.parameter(op.phi[1] ?? '', [dim])];
    return new DiagonalAffine('elementwise', {
      center: new Float32Array(dim),
      logScale: { raw: scale!, map: 'softclip', setting: bound },
      shift: shift!,
    });
  },
} satisfies OpBuilders;
