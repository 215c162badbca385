// Float64 arithmetic on the host.

export const softplus = (value: number): number => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));

/** The number whose softplus is `value`. */
export const inverseSoftplus = (value: number): number => Math.log(Math.expm1(value));
