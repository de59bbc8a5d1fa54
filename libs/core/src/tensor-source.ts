/** A tensor's name and shape in a file. */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The tensors of a model in files, each read when it is asked for, so that no more than one need be in memory besides what reads them. */
export interface TensorSource {
  readonly tensors: readonly StoredTensor[];
  /** A fresh array of float32, whatever the file holds; row by row. @throws LockstepError `data` if there is no such tensor or it cannot be read. */
  read(name: string): Float32Array;
}
