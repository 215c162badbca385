// Twins of derivative kernels by central differences of the forward kernel's twin: nothing of a shader's algebra is repeated.

/** A short step, since differences across a kink are none: right to 1e-9 of what `f` is. */
const STEP = 1e-7;

/** d f / d at, one component after the other. */
export function differences(f: (at: Float64Array) => number, at: ArrayLike<number>): Float64Array {
  const point = Float64Array.from(at);
  return Float64Array.from(point, (value, i) => {
    const moved = (step: number) => {
      point[i] = value + step;
      return f(point);
    };
    const rise = moved(STEP) - moved(-STEP);
    point[i] = value;
    return rise / (2 * STEP);
  });
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
