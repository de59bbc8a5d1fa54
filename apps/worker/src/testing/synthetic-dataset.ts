import { uniformStream } from '@lockstep/core';
import type { Dataset } from '@lockstep/data';

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
