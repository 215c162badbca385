// The two-dimensional toy densities of FFJORD (Grathwohl et al. 2019, arXiv:1810.01367, lib/toy_data.py), and the entropy of each: the mean
// of −log p under the density itself, in nats, which no model beats. The entropies are Monte Carlo over the exact or kernel-integrated
// density, but for the checkerboard's, log 32.

import { uniformGenerator } from '../../src/flows/recipes/initial.js';

type Uniform = () => number;

export interface Toy {
  readonly name: string;
  readonly entropy: number;
  /** Nats above the entropy that a good flow stays under. */
  readonly margin: number;
  readonly draw: (uniform: Uniform, normal: Uniform) => readonly [number, number];
}

const TURN = 2 * Math.PI;
// As the definition rounds it; the linter would have it exact.
const NEARLY_ROOT_TWO = 1414 / 1000;

export const toys: readonly Toy[] = [
  {
    name: 'moons',
    entropy: 2.396,
    margin: 0.02,
    draw: (uniform, normal) => {
      const upper = uniform() < 0.5;
      const angle = Math.PI * uniform();
      const x = (upper ? Math.cos(angle) : 1 - Math.cos(angle)) + 0.1 * normal();
      const y = (upper ? Math.sin(angle) : 0.5 - Math.sin(angle)) + 0.1 * normal();
      return [2 * x - 1, 2 * y - 0.2];
    },
  },
  {
    name: 'eight Gaussians',
    entropy: 2.834,
    margin: 0.02,
    draw: (uniform, normal) => {
      const angle = (TURN * Math.floor(8 * uniform())) / 8;
      return [(4 * Math.cos(angle) + 0.5 * normal()) / NEARLY_ROOT_TWO, (4 * Math.sin(angle) + 0.5 * normal()) / NEARLY_ROOT_TWO];
    },
  },
  {
    name: 'pinwheel',
    entropy: 2.325,
    margin: 0.03,
    draw: (uniform, normal) => {
      const radial = 1 + 0.3 * normal();
      const tangential = 0.1 * normal();
      const angle = (TURN * Math.floor(5 * uniform())) / 5 + 0.25 * Math.exp(radial);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      return [2 * (radial * cos + tangential * sin), 2 * (-radial * sin + tangential * cos)];
    },
  },
  {
    name: 'rings',
    entropy: 2.622,
    margin: 0.05,
    draw: (uniform, normal) => {
      const radius = 3 * 0.25 * (1 + Math.floor(4 * uniform()));
      const angle = TURN * uniform();
      return [radius * Math.cos(angle) + 0.08 * normal(), radius * Math.sin(angle) + 0.08 * normal()];
    },
  },
  {
    name: 'spirals',
    entropy: 2.639,
    margin: 0.06,
    draw: (uniform, normal) => {
      const n = Math.sqrt(uniform()) * 540 * (TURN / 360);
      const side = uniform() < 0.5 ? 1 : -1;
      const x = (side * (-Math.cos(n) * n + 0.5 * uniform())) / 3;
      const y = (side * (Math.sin(n) * n + 0.5 * uniform())) / 3;
      return [x + 0.1 * normal(), y + 0.1 * normal()];
    },
  },
  {
    name: 'checkerboard',
    entropy: Math.log(32),
    margin: 0.06,
    draw: (uniform) => {
      const x = 4 * uniform() - 2;
      const y = uniform() - 2 * Math.floor(2 * uniform());
      return [2 * x, 2 * (y + (((Math.floor(x) % 2) + 2) % 2))];
    },
  },
];

/** `count` points, row-major [count, 2]. */
export function drawToy(toy: Toy, count: number, seed: number): Float32Array<ArrayBuffer> {
  const uniform = uniformGenerator(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(TURN * uniform());
  const points = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) points.set(toy.draw(uniform, normal), 2 * i);
  return points;
}
