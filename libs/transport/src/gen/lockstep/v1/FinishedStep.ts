// Original file: proto/lockstep/v1/coordinator.proto

import type { WorkerShare as _lockstep_v1_WorkerShare, WorkerShare__Output as _lockstep_v1_WorkerShare__Output } from '../../lockstep/v1/WorkerShare.ts';

export interface FinishedStep {
  'step'?: (number);
  'numExamples'?: (number);
  'numCorrect'?: (number);
  'lossSum'?: (number | string);
  'numNonFinite'?: (number);
  'learningRate'?: (number | string);
  'workers'?: (_lockstep_v1_WorkerShare)[];
  'digests'?: (number)[];
  'atMs'?: (number | string);
}

export interface FinishedStep__Output {
  'step': (number);
  'numExamples': (number);
  'numCorrect': (number);
  'lossSum': (number);
  'numNonFinite': (number);
  'learningRate': (number);
  'workers': (_lockstep_v1_WorkerShare__Output)[];
  'digests': (number)[];
  'atMs': (number);
}
