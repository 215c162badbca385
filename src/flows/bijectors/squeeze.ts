import type { ImageShape } from '../conditioner/conv-net.js';
import { Permutation } from './permutation.js';

/**
 * [C, H, W] → [4 C, H / 2, W / 2]: channel 4 c + 2 dy + dx of the result holds the pixels (2 y + dy, 2 x + dx) of channel c. H and W even.
 * Dinh et al. 2017, arXiv:1605.08803, section 3.6.
 */
export function squeeze([channels, height, width]: ImageShape): Permutation {
  const [rows, columns] = [height / 2, width / 2];
  const order: number[] = [];
  for (let c = 0; c < channels; c++)
    for (let corner = 0; corner < 4; corner++)
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) order.push((c * height + 2 * y + (corner >> 1)) * width + 2 * x + (corner & 1));
  return new Permutation(order);
}
