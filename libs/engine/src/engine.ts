import type { Numerics } from '@lockstep/core';
import type * as tfjs from '@tensorflow/tfjs';

/** TensorFlow.js as a module object. */
export type Tf = typeof tfjs;

/** TensorFlow.js, loaded to compute with `numerics`. One a process: more are not safe. */
export interface Engine {
  readonly tf: Tf;
  readonly numerics: Numerics;
  /** Whether oneDNN's own ops are to be used beside TensorFlow's. */
  readonly oneDnnKernels: boolean;
}
