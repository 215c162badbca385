// Importance weights: a logarithm of a mean of exponentials, over draws that come one after another.

/** Draws in flight at once: each holds its results until they are read. */
const IN_FLIGHT = 8;

/**
 * log of the mean over draws of e^weight, row by row: the running maximum, and the sum beside it, in float64.
 *
 * @param draw the log-weights [rows] of draw number `index`.
 */
export async function logMeanWeights(rows: number, samples: number, draw: (index: number) => Promise<Float32Array>): Promise<Float32Array> {
  if (samples === 1) return draw(0);
  const top = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const sum = new Float64Array(rows);
  for (let first = 0; first < samples; first += IN_FLIGHT) {
    const count = Math.min(IN_FLIGHT, samples - first);
    for (const weights of await Promise.all(Array.from({ length: count }, (_, i) => draw(first + i)))) {
      for (const [row, weight] of weights.entries()) {
        if (weight === Number.NEGATIVE_INFINITY) continue; // a draw of density 0 adds nothing, and has no difference to itself
        const higher = weight > top[row]! ? weight : top[row]!;
        sum[row] = sum[row]! * Math.exp(top[row]! - higher) + Math.exp(weight - higher);
        top[row] = higher;
      }
    }
  }
  return Float32Array.from(top, (highest, row) => highest + Math.log(sum[row]! / samples));
}
