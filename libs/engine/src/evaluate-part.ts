import type { DataSplits, Preparation } from '@lockstep/data';
import { evaluationPartRange, sizeOfImages } from '@lockstep/scheduling';
import type { Evaluation, TrainingModel } from './training-model.ts';

/** Samples that go through the model at once: a bound of memory, and part of what a result's bits depend on. */
const BATCH_EXAMPLES = 100;

/** Evaluates one part of a split on the parameters last loaded, in file order, without augmentation. */
export function evaluatePart(model: TrainingModel, splits: DataSplits, preparation: Preparation, split: 'validation' | 'test', part: number): Evaluation {
  const dataset = splits[split];
  const { from, to } = evaluationPartRange(part, sizeOfImages(dataset.numExamples));
  const probabilities = new Float32Array((to - from) * splits.classNames.length);
  let lossSum = 0;
  let numCorrect = 0;
  for (let start = from; start < to; start += BATCH_EXAMPLES) {
    const indices = Uint32Array.from({ length: Math.min(BATCH_EXAMPLES, to - start) }, (_, offset) => start + offset);
    const inputs = new Float32Array(indices.length * preparation.sampleLength);
    preparation.prepare(dataset, indices, null, inputs);
    const result = model.evaluate(inputs, dataset.labels.subarray(start, start + indices.length));
    lossSum += result.lossSum;
    numCorrect += result.numCorrect;
    probabilities.set(result.probabilities, (start - from) * splits.classNames.length);
  }
  return { lossSum, numCorrect, probabilities };
}
