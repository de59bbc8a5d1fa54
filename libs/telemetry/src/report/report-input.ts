import type { EvaluationReport } from '@lockstep/evaluation';
import type { RunEvent } from '@lockstep/core';

export interface ReportInput {
  /** A run's events, `start` and `end` among them; long runs are thinned to 2,000 points a curve. */
  readonly events: readonly RunEvent[];
  /** Null where tokens are predicted. */
  readonly classification: ClassificationInput | null;
  /** The config as resolved. */
  readonly config: object;
}

/** What a classifier makes of the test set, with pictures. */
export interface ClassificationInput {
  /** Of the test set. */
  readonly evaluation: EvaluationReport;
  /** Samples a class, in the order of the class names. */
  readonly labelHistogram: { readonly training: readonly number[]; readonly test: readonly number[] };
  /** Some training samples. */
  readonly sampleGrid: readonly { readonly image: ReportImage; readonly label: number }[];
  /** The pictures of `evaluation.worstMistakes`, by test set index; a mistake without one is left out. */
  readonly mistakeImages: ReadonlyMap<number, ReportImage>;
}

/** Pixels row by row, `[height, width, channels]`, 0..255; one channel: 255 is ink. */
export interface ReportImage {
  readonly pixels: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}
