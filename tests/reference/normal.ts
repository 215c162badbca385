// Twins of shaders/lib/normal.wgsl.

export const logPhi = (z: number): number => -0.5 * z * z - 0.5 * Math.log(2 * Math.PI);

/** Mills' ratio (1 − Φ(t)) / φ(t): below 3 by √(π/2) e^{t²/2} − Σ t^(2n+1) / (1 · 3 ⋯ (2n+1)), beyond by Laplace's continued fraction. */
export function millsRatio(t: number): number {
  if (Number.isNaN(t)) return t;
  if (t < 3) {
    let term = t;
    let sum = t;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (t * t) / (2 * n + 1);
      sum += term;
    }
    return Math.sqrt(Math.PI / 2) * Math.exp(0.5 * t * t) - sum;
  }
  let fraction = t;
  for (let k = Math.ceil(20 + 1200 / (t * t)); k > 0; k--) fraction = t + k / fraction;
  return 1 / fraction;
}

/** log(1 − Φ(t)) for t ≥ 0. */
export const logTail = (t: number): number => logPhi(t) + Math.log(millsRatio(t));

/** The t ≥ 0 with log(1 − Φ(t)) = L ≤ −log 2, by Newton's method. */
export function normalTail(logProbability: number): number {
  if (!(logProbability > Number.NEGATIVE_INFINITY)) return Number.NaN;
  const w = Math.sqrt(-2 * logProbability);
  let t = Math.max(0, w - (2.5067228 + 0.65460371 * w) / (1 + 1.3597336 * w + 0.13212547 * w * w));
  for (let i = 0; i < 4; i++) {
    const mills = millsRatio(t);
    t += (logPhi(t) + Math.log(mills) - logProbability) * mills;
  }
  return t;
}
