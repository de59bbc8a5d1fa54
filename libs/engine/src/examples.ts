import { LockstepError } from '@lockstep/core';

/** @throws LockstepError `data` when inputs and labels do not fit each other, or a label is no class of the model. */
export function checkExamples(inputs: Float32Array, labels: Uint8Array, sampleShape: readonly number[], numClasses: number): void {
  const sampleLength = sampleShape.reduce((product, size) => product * size, 1);
  if (inputs.length !== labels.length * sampleLength) {
    throw new LockstepError('data', `${inputs.length} input values for ${labels.length} labels: expected ${sampleLength} a sample (shape [${sampleShape.join(', ')}])`);
  }
  const row = labels.findIndex((label) => label >= numClasses);
  if (row >= 0) throw new LockstepError('data', `label ${labels[row]} of example ${row} in the micro-batch: expected 0 to ${numClasses - 1}`);
}
