import type { Measurement } from '../measurement.ts';

/** What is fine-tuned: the model and how. */
export interface FineTuning {
  readonly name: string;
  /** A GGUF file. */
  readonly model: string;
  /** Of LoRA on the query projections; null: every parameter trains. */
  readonly rank: number | null;
  /** Of a micro-batch, which is one row; each process has one. */
  readonly tokens: number;
  readonly processes: number;
  readonly steps: number;
}

/** One run of it. */
export interface FineTuningRun extends Pick<Measurement, 'steps'> {
  readonly tokensPerSecond: number;
  /** The most that a worker has in memory while it trains. */
  readonly residentBytes: number;
}
