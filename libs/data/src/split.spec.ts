import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLabels, type Dataset } from './dataset.ts';
import { splitDataset } from './split.ts';
import { noiseDataset } from './testing/small-sources.ts';

/** Images of one pixel each, whose value is the sample's number. */
function numbered(labels: readonly number[]): Dataset {
  return { images: Uint8Array.from(labels, (_, index) => index), labels: Uint8Array.from(labels), imageShape: { height: 1, width: 1, channels: 1 }, numExamples: labels.length };
}

describe('a split', () => {
  it('has every sample once, with its label, each part in the order of the whole', () => {
    fc.assert(fc.property(
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 200 }), fc.double({ min: 0, max: 0.9, noNaN: true }), fc.boolean(), fc.nat(),
      (labels, share, stratified, seed) => {
        const { kept, heldOut } = splitDataset(numbered(labels), { share, stratified, seed, splitNumber: 0 });
        expect(heldOut.numExamples).toBe(Math.round(share * labels.length));
        expect([...kept.images, ...heldOut.images].sort((a, b) => a - b)).toEqual(labels.map((_, index) => index));
        for (const part of [kept, heldOut]) {
          expect([...part.images]).toEqual([...part.images].sort((a, b) => a - b));
          expect([...part.labels]).toEqual([...part.images].map((index) => labels[index]));
        }
      },
    ), { seed: 7, numRuns: 200 });
  });

  it('keeps the share of every label when stratified, rare ones too', () => {
    const labels = [...new Array<number>(100).fill(0), ...new Array<number>(40).fill(1), ...new Array<number>(10).fill(2)];
    const { kept, heldOut } = splitDataset(numbered(labels), { share: 0.2, stratified: true, seed: 3, splitNumber: 0 });
    expect([...countLabels(heldOut, 3)]).toEqual([20, 8, 2]);
    expect([...countLabels(kept, 3)]).toEqual([80, 32, 8]);
  });

  it('is the same for the same seed and another for another', () => {
    const dataset = noiseDataset(100);
    const heldOutBy = (seed: number, splitNumber: number): number[] => [...splitDataset(dataset, { share: 0.3, stratified: true, seed, splitNumber }).heldOut.images];
    expect(heldOutBy(1, 0)).toEqual(heldOutBy(1, 0));
    expect(heldOutBy(1, 0)).not.toEqual(heldOutBy(2, 0));
    expect(heldOutBy(1, 0)).not.toEqual(heldOutBy(1, 1));
  });
});
