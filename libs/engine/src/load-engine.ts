import { createRequire } from 'node:module';
import { LockstepError, messageOf, type Numerics } from '@lockstep/core';
import type { Engine, Tf } from './engine.ts';
import { hasOneDnnKernels } from './chain/one-dnn.ts';
import { registerFastKernels } from './fast-kernels.ts';
import { installedEngine } from './installed-engine.ts';
import { activeBackend } from './native-backend.ts';
import { numericsEnvironment } from './numerics-environment.ts';

/**
 * Loads TensorFlow.js to compute with `numerics`; the process has `numericsEnvironment(numerics)` already.
 * @throws LockstepError `engine` when the process's environment or what was loaded is not what `numerics` says.
 */
export async function loadEngine(numerics: Numerics): Promise<Engine> {
  if (numerics.device === 'javascript') return { tf: await loadJavaScript(), numerics, oneDnnKernels: false };
  const tf = await loadNative(numerics);
  const oneDnnKernels = hasOneDnnKernels(activeBackend(tf), numerics);
  registerFastKernels(tf, oneDnnKernels);
  return { tf, numerics, oneDnnKernels };
}

async function loadJavaScript(): Promise<Tf> {
  const tf = require('@tensorflow/tfjs') as Tf;
  if (!(await tf.setBackend('cpu'))) throw new LockstepError('engine', "TensorFlow.js did not take its 'cpu' backend");
  Object.assign(tf.backend(), { firstUse: false }); // else it advises tfjs-node on the console
  tf.env().set('PROD', true);
  return tf;
}

async function loadNative(numerics: Numerics): Promise<Tf> {
  checkEnvironment(numerics);
  const { packageName, tensorflowVersion } = installedEngine();
  restoreUtilFunctions();
  const tf = importNative(packageName);
  await tf.ready();
  checkLoaded(tf, numerics, tensorflowVersion);
  tf.env().set('PROD', true);
  return tf;
}

const require = createRequire(import.meta.url);

function importNative(packageName: string): Tf {
  try {
    return require(packageName) as Tf;
  } catch (cause) {
    throw new LockstepError('engine', `${packageName} does not load: ${messageOf(cause)}`, { cause, hint: '`lockstep doctor` checks the engine; `npm run setup` repairs it.' });
  }
}

function checkEnvironment(numerics: Numerics): void {
  for (const [name, expected] of Object.entries(numericsEnvironment(numerics))) {
    const found = process.env[name];
    if (found !== expected) throw new LockstepError('engine', `environment variable ${name} is ${found ?? 'unset'} where the run's numerics need ${expected}; it must be set before the engine loads`);
  }
}

/** tfjs-node 4.22 uses two functions of Node's util that Node 23 took away or deprecates. */
function restoreUtilFunctions(): void {
  Object.assign(require('node:util') as object, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
}

function checkLoaded(tf: Tf, numerics: Numerics, expectedVersion: string): void {
  if (tf.getBackend() !== 'tensorflow') throw new LockstepError('engine', `TensorFlow.js computes with its backend '${tf.getBackend()}' where 'tensorflow' was expected`);
  const { binding, isUsingGpuDevice } = activeBackend(tf);
  if (binding.TF_Version !== expectedVersion) {
    throw new LockstepError('engine', `the loaded TensorFlow is ${binding.TF_Version} where its set-up says ${expectedVersion}`, { hint: 'Run `npm run setup` again.' });
  }
  if (isUsingGpuDevice !== (numerics.device === 'gpu')) {
    throw new LockstepError('engine', `TensorFlow computes on a ${isUsingGpuDevice ? 'GPU' : 'CPU'} where the run's numerics need a ${numerics.device.toUpperCase()}`);
  }
}
