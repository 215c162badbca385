// Order statistics of a handful of timings, and a straight-line fit.

export interface Statistics {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly min: number;
  readonly n: number;
}

/** Quantile `q` of ascending values, linear between neighbours. */
export function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!);
}

export function summarize(samples: readonly number[]): Statistics {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    p10: quantile(sorted, 0.1),
    p90: quantile(sorted, 0.9),
    min: sorted[0]!,
    n: sorted.length,
  };
}

/** Times over those of something else in the same rounds: the median, and the middle half. */
export interface Ratio {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
}

export function ratioOf(samples: readonly number[], base: readonly number[]): Ratio {
  const ratios = samples.map((milliseconds, round) => milliseconds / base[round]!).sort((a, b) => a - b);
  const [p25, median, p75] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q)) as [number, number, number];
  return { median, p25, p75 };
}

export interface PowerLaw {
  readonly exponent: number;
  /** Share of the variance of log y that the fit explains. */
  readonly r2: number;
}

/** Least squares of log y = exponent · log x + constant. */
export function fitPower(x: readonly number[], y: readonly number[]): PowerLaw {
  const u = x.map(Math.log);
  const v = y.map(Math.log);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const meanU = mean(u);
  const meanV = mean(v);
  let uu = 0;
  let uv = 0;
  let vv = 0;
  for (const [i, value] of u.entries()) {
    uu += (value - meanU) ** 2;
    uv += (value - meanU) * (v[i]! - meanV);
    vv += (v[i]! - meanV) ** 2;
  }
  return { exponent: uv / uu, r2: vv === 0 ? 1 : uv ** 2 / (uu * vv) };
}
