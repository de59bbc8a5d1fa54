/** Everything that the function of an encoder in BERT's style (Devlin et al. 2018; normalised after each part) depends on besides its tensors. */
export interface EncoderArchitecture {
  readonly vocabularySize: number;
  readonly depth: number;
  readonly width: number;
  /** Each of `width / heads`. */
  readonly heads: number;
  /** Units of the feed-forward part. */
  readonly hidden: number;
  /** Learned positions: tokens at most. */
  readonly contextLength: number;
  /** Kinds of segments, of which a single text is kind 0. */
  readonly typeVocabularySize: number;
  readonly normEpsilon: number;
  /** By the error function, not by tanh. */
  readonly activation: 'gelu';
  /** A dense layer with tanh on the first token's output. */
  readonly pooler: boolean;
}
