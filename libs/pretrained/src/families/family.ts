import type { StoredTensor, TransformerArchitecture } from '@lockstep/core';
import type { EncoderArchitecture } from '../encoder-architecture.ts';

/** Where a file holds a tensor of Lockstep's, and how it gets from there into Lockstep's orientation. */
export interface TensorLocation {
  /** What the file has: its name there and its shape. */
  readonly stored: StoredTensor;
  /** Takes the file's values and gives Lockstep's, the same array or a fresh one. */
  arrange(values: Float32Array): Float32Array;
}

/** How the files of a family name and arrange tensors. */
export interface TensorLayout {
  /** What the names of the model's body begin with in some files and not in others. */
  readonly optionalPrefix: string;
  locate(tensor: StoredTensor): TensorLocation;
  /** Whether files have a tensor of this name that says nothing new: masks, tables, the output layer that is the input embedding. */
  isRedundant(name: string): boolean;
}

/** A model as its configuration describes it. */
export type ModelDescription =
  | { readonly kind: 'decoder'; readonly architecture: TransformerArchitecture; readonly layout: TensorLayout }
  | { readonly kind: 'encoder'; readonly architecture: EncoderArchitecture; readonly layout: TensorLayout };

/** For what the file holds as Lockstep does. */
export const asItIs = (values: Float32Array): Float32Array => values;
