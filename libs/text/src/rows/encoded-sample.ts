/** A sample as tokens, `counts` saying of each whether it counts in the loss when it is the one to be predicted. */
export interface EncodedSample {
  readonly tokens: readonly number[];
  readonly counts: readonly boolean[];
}
