/** What `bench scale` asks of its coordinator's process. */
export type CoordinatorCommand =
  /** Measure over so many steps, after others that warm it up. */
  | { readonly kind: 'measure'; readonly warmUpSteps: number; readonly steps: number }
  /** Tell the first step that this worker is a part of. */
  | { readonly kind: 'await-rank'; readonly rank: number }
  | { readonly kind: 'end' };

export type CoordinatorReport =
  | { readonly kind: 'listening'; readonly unix: string }
  /** Now and then: so many steps are made. */
  | { readonly kind: 'progress'; readonly steps: number }
  | { readonly kind: 'measured'; readonly cost: CoordinatorCost }
  | { readonly kind: 'took-part'; readonly rank: number; readonly step: number }
  | ProcessFailure;

/** What the steps that were measured took, and cost the coordinator's process. */
export interface CoordinatorCost {
  readonly steps: number;
  readonly medianStepMs: number;
  /** User and system time of all its threads. */
  readonly cpuMsAStep: number;
  /** Meanwhile, and not by this command: they were silent for too long. */
  readonly workersLost: number;
  readonly before: ProcessMemory;
  readonly after: ProcessMemory;
}

export interface ProcessMemory {
  readonly residentBytes: number;
  /** What a full collection of garbage leaves. */
  readonly heapBytes: number;
}

/** What `bench scale` asks of a process of light workers. */
export type LightCommand =
  | { readonly kind: 'join'; readonly address: string; readonly workers: number }
  /** Tell when a worker here first begins this step or a later one. */
  | { readonly kind: 'await-step'; readonly step: number }
  /** End without a word, in the middle of computing a step. */
  | { readonly kind: 'die' };

/** Times are milliseconds since 1970. */
export type LightReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'joining'; readonly atMs: number }
  | { readonly kind: 'welcomed'; readonly rank: number }
  | { readonly kind: 'began'; readonly step: number; readonly atMs: number }
  | { readonly kind: 'dying'; readonly step: number; readonly atMs: number }
  | ProcessFailure;

export interface ProcessFailure {
  readonly kind: 'failed';
  readonly message: string;
}
