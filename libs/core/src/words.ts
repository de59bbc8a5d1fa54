/** The words of the design as types. Each is a plain number at run time; the brand stops one from standing in for another. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** The number of a worker, given at join; never part of a result. */
export type Rank = Brand<number, 'Rank'>;
/** The number of an optimizer update, from 0. A worker computes step `t` on version `t`. */
export type Step = Brand<number, 'Step'>;
/** One pass over the training set, from 0. */
export type Epoch = Brand<number, 'Epoch'>;
/** How many steps the parameters have had. */
export type Version = Brand<number, 'Version'>;
/** The number of a micro-batch within its global batch, `0 … V-1`. */
export type MicroBatch = Brand<number, 'MicroBatch'>;

export const rankOf = (value: number): Rank => value as Rank;
export const stepOf = (value: number): Step => value as Step;
export const epochOf = (value: number): Epoch => value as Epoch;
export const versionOf = (value: number): Version => value as Version;
export const microBatchOf = (value: number): MicroBatch => value as MicroBatch;
