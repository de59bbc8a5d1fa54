import { createRequire } from 'node:module';
import { numericsEnvironment, type Engine, type Tf } from '@lockstep/engine';
import type { Numerics } from '@lockstep/core';

const require = createRequire(import.meta.url);

/** TensorFlow.js on its native library as the package gives it, with none of Lockstep's kernels; threads as in `numerics`. */
export async function loadPlainTfjs(numerics: Numerics): Promise<Engine> {
  Object.assign(process.env, numericsEnvironment(numerics));
  // tfjs-node 4.22 needs both on Node 24.
  Object.assign(require('node:util') as object, { isNullOrUndefined: (value: unknown) => value === null || value === undefined, isArray: Array.isArray });
  const tf = require('@tensorflow/tfjs-node-gpu') as Tf;
  await tf.ready();
  if (tf.getBackend() !== 'tensorflow') throw new Error(`TensorFlow.js computes with '${tf.getBackend()}', expected its native backend`);
  return { tf, numerics, oneDnnKernels: false };
}
