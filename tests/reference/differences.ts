// Twins of derivative kernels by central differences of the forward kernel's twin: nothing of a shader's algebra is repeated.

/**
 * d f / d at, one component after the other.
 *
 * @param step a short one by default, since differences across a kink are none: right to 1e-9 of what `f` is.
 */
export function differences(f: (at: Float64Array) => number, at: ArrayLike<number>, step = 1e-7): Float64Array {
  const point = Float64Array.from(at);
  return Float64Array.from(point, (value, i) => {
    const moved = (by: number) => {
      point[i] = value + by;
      return f(point);
    };
    const rise = moved(step) - moved(-step);
    point[i] = value;
    return rise / (2 * step);
  });
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
