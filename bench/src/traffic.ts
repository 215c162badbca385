// What a program moves at least: every dispatch reads or writes what it binds, each buffer once.

import type { Command } from '../../src/runtime/program.js';
import { paddedRows, type Tensor } from '../../src/runtime/tensor.js';

function elements(tensor: Tensor, rows: number): number {
  if (tensor.kind === 'tiled') return tensor.features * paddedRows(rows);
  if (tensor.kind === 'external') return tensor.features * rows;
  if (tensor.kind === 'table') return tensor.length;
  return tensor.data.length - (tensor.from ?? 0);
}

/** Bytes of a dispatch. Elements are floats or words of four bytes. */
export const bytesOf = ({ tensors }: Command, rows: number): number =>
  Object.values(tensors).reduce((sum, tensor) => sum + 4 * elements(tensor, rows), 0);
