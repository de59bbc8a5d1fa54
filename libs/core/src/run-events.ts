import type { Numerics } from './numerics.ts';

/** What a run tells of itself, as it happens. Every sink (terminal, JSON lines, metrics file, TensorBoard, report) reads this one stream. */
export type RunEvent = StartEvent | WorkerEvent | StepEvent | EpochEvent | CheckpointEvent | ShardsEvent | StallEvent | LogEvent | EndEvent;

/** What a loss is a mean over, and what throughput counts: images that are classified, or tokens that are predicted. */
export type ExampleKind = 'images' | 'tokens';

export interface StartEvent {
  readonly event: 'start';
  readonly run: string;
  readonly directory: string;
  readonly model: string;
  /** Elements of the flat vector, buffers included. */
  readonly parameters: number;
  /** How many of them are frozen. */
  readonly frozenParameters: number;
  readonly examples: ExampleKind;
  /** None where tokens are predicted. */
  readonly classNames: readonly string[];
  /** Images, or rows of tokens. */
  readonly trainSamples: number;
  readonly validationSamples: number;
  readonly testSamples: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly globalBatchSize: number;
  readonly microBatches: number;
  /** The version that a resumed run goes on from; 0 for a new one. */
  readonly resumedFrom: number;
  readonly numerics: Numerics;
}

export interface WorkerEvent {
  readonly event: 'worker';
  readonly rank: number;
  readonly state: 'joined' | 'training' | 'left' | 'lost';
  readonly hostname: string;
  readonly pid: number;
  readonly device: string;
  /** Why it was lost. */
  readonly reason?: string;
}

export interface StepEvent {
  readonly event: 'step';
  /** The step that is complete, from 0; the parameters' version is now `step + 1`. */
  readonly step: number;
  readonly epoch: number;
  /** Mean over the step's examples. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly numExamples: number;
  /** Since the run's first step began. */
  readonly elapsedSeconds: number;
  /** Over the last second or so. */
  readonly examplesPerSecond: number;
  /** One entry a worker: its part of the step and how long its gradients took. */
  readonly workers: readonly { readonly rank: number; readonly microBatches: number; readonly computeMs: number }[];
}

export interface EpochEvent {
  readonly event: 'epoch';
  readonly epoch: number;
  /** The last step of the epoch. */
  readonly step: number;
  /** Means over the epoch's training samples, as seen while training. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validation: { readonly loss: number; readonly accuracy: number } | null;
  readonly elapsedSeconds: number;
  readonly examplesPerSecond: number;
  readonly parametersSha256: string;
}

/** A checkpoint is whole on the disk. */
export interface CheckpointEvent {
  readonly event: 'checkpoint';
  readonly version: number;
  readonly directory: string;
  /** Of writing it, during which training went on. */
  readonly seconds: number;
}

/** The shards are (again) where the workers find them. */
export interface ShardsEvent {
  readonly event: 'shards';
  /** Grows when all shards go back to a checkpoint. */
  readonly generation: number;
  /** The version that they start from, in a new generation. */
  readonly version: number;
  /** Why they were placed: `the run starts`, `server 2 was lost: its replica takes over`. */
  readonly cause: string;
  /** One a shard. */
  readonly hosts: readonly string[];
}

/** A step takes long. */
export interface StallEvent {
  readonly event: 'stall';
  readonly step: number;
  /** What it waits for: `step 812 waits for micro-batches 5, 6: worker 3 (gpu-b, process 4711) silent for 1.9 s`. */
  readonly reason: string;
}

export interface LogEvent {
  readonly event: 'log';
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

export interface EndEvent {
  readonly event: 'end';
  readonly run: string;
  readonly directory: string;
  readonly steps: number;
  readonly epochs: number;
  readonly parametersSha256: string;
  readonly examples: ExampleKind;
  /** Examples applied over all steps. */
  readonly trainExamples: number;
  readonly trainSeconds: number;
  readonly examplesPerSecond: number;
  readonly test: { readonly loss: number; readonly accuracy: number };
  /** Why it ended before its last step, or null. */
  readonly stoppedEarly: string | null;
}
