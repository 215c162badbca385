// The order of the files. Two run at a time, and one that takes minutes must not be begun last: the other worker would have nothing to do.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Below tests/, those that take half a minute and more on SwiftShader. A file that was never run tells only its size, which says little. */
const LONGEST = [
  'kernels/kernels',
  'flows/properties',
  'training/continuous',
  'runtime/tune',
  'golden',
  'runtime/thin-nets',
  'runtime/affine-fusions',
  'examples',
  'training/gradients',
  'training/residual-inverse',
  'training/images',
  'training/recompute',
  'node/train-page',
  'node/demo',
  'node/cli',
  'node/bench',
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/tests/${name}.test.ts`));
  return place < 0 ? LONGEST.length : place;
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
