import type { StoredTensor } from '@lockstep/core';

/** A tensor as a file holds it: under the file's own name, in the file's own orientation. */
export interface FileTensor extends StoredTensor {
  /** Path of the file. */
  readonly file: string;
  /** How the file encodes its values, by the file format's own name. */
  readonly type: string;
  /** Whether `read` can decode that type. */
  readonly isReadable: boolean;
  /** A fresh array of float32, row by row, that begins at a multiple of 64 bytes. @throws LockstepError `data` if the type or the file cannot be read. */
  read(): Float32Array;
}

export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

export const renderShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
