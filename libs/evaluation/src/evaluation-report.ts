/** What a model's predictions on a labelled set are worth. Rates lie in 0..1. */
export interface EvaluationReport {
  readonly numExamples: number;
  /** Mean over the examples. */
  readonly loss: number;
  readonly accuracy: number;
  /** One entry a class, in the order of the labels. */
  readonly classes: readonly ClassScores[];
  /** Unweighted means over all classes, those without examples included. */
  readonly macro: PrecisionRecallF1;
  /** `[actual][predicted]`: counts. */
  readonly confusion: readonly (readonly number[])[];
  /** The ten most frequent confusions, most frequent first. */
  readonly mostConfused: readonly ConfusedPair[];
  /** The mistakes made with most confidence, most confident first; at most 24. */
  readonly worstMistakes: readonly Mistake[];
}

export interface PrecisionRecallF1 {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface ClassScores extends PrecisionRecallF1 {
  readonly name: string;
  /** Examples of the class. */
  readonly support: number;
}

/** Class numbers, and how many examples of `actual` were taken for `predicted`. */
export interface ConfusedPair {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
}

export interface Mistake {
  /** The example's position in the evaluated set. */
  readonly index: number;
  readonly actual: number;
  readonly predicted: number;
  /** The probability given to the predicted class. */
  readonly confidence: number;
  /** One a class. */
  readonly probabilities: readonly number[];
}
