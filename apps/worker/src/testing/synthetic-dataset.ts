import { uniformStream } from '@lockstep/core';
import type { Dataset, DataSplits } from '@lockstep/data';

/** Random images of 8x8 pixels; each label is its image's number, modulo `numClasses`. */
export function syntheticDataset(numExamples: number, numClasses = 256): Dataset {
  const draw = uniformStream(5);
  return {
    images: Uint8Array.from({ length: numExamples * 64 }, () => draw() * 256),
    labels: Uint8Array.from({ length: numExamples }, (_, index) => index % numClasses),
    imageShape: { height: 8, width: 8, channels: 1 },
    numExamples,
  };
}

/** The same as a training set, with nothing held out. */
export function syntheticSplits(numExamples: number, numClasses: number): DataSplits {
  const training = syntheticDataset(numExamples, numClasses);
  const none = { ...training, images: new Uint8Array(0), labels: new Uint8Array(0), numExamples: 0 };
  const classNames = Array.from({ length: numClasses }, (_, label) => String(label));
  return { training, validation: none, test: none, classNames, statistics: { mean: 0, deviation: 1 }, report: { numRead: numExamples, numKept: numExamples, faults: [] } };
}
