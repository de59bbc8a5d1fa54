import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DataOptions } from '@lockstep/core';
import type { Dataset } from './dataset.ts';
import { createPreparation } from './preparation.ts';
import { computeStatistics } from './statistics.ts';
import { dataConfig, noiseDataset } from './testing/small-sources.ts';

const DATASET = noiseDataset(30, 12);

function prepare(options: DataOptions, indices: readonly number[], draw: { seed: number; epoch: number } | null = null, dataset: Dataset = DATASET): Float32Array {
  const preparation = createPreparation(dataConfig(options), dataset.imageShape, computeStatistics(dataset));
  const out = new Float32Array(indices.length * preparation.sampleLength).fill(NaN);
  preparation.prepare(dataset, indices, draw, out);
  return out;
}

const pixelsOf = (index: number): number[] => [...DATASET.images.subarray(index * 144, (index + 1) * 144)];

describe('scaling', () => {
  it('maps pixels to 0..1 by default', () => {
    expect(prepare({}, [3, 0])).toEqual(Float32Array.from([...pixelsOf(3), ...pixelsOf(0)], (pixel) => pixel / 255));
  });

  it('can keep the pixels', () => {
    expect([...prepare({ scale: 'none' }, [5])]).toEqual(pixelsOf(5));
  });

  it('standardises to mean 0 and deviation 1 over the training split', () => {
    const all = prepare({ scale: 'standard' }, Array.from({ length: 30 }, (_, index) => index));
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(variance).toBeCloseTo(1, 5);
  });

  it('gives finite values where all pixels are equal', () => {
    const flat = { ...DATASET, images: new Uint8Array(DATASET.images.length).fill(9) };
    expect(prepare({ scale: 'standard' }, [0], null, flat).every((value) => value === 0)).toBe(true);
  });

  it.each([[4, 0], [3, 0], [4, 1]])('gives the same wherever the images lie in memory (side %i, offset %i)', (side, offset) => {
    const dataset = noiseDataset(10, side);
    const images = new Uint8Array(dataset.images.length + offset);
    images.set(dataset.images.map((pixel) => (pixel < 128 ? 0 : pixel)), offset);
    const moved = { ...dataset, images: images.subarray(offset) };
    expect(prepare({}, [7, 2], null, moved)).toEqual(Float32Array.from([7, 2].flatMap((index) => [...moved.images.subarray(index * side * side, (index + 1) * side * side)]), (pixel) => pixel / 255));
  });
});

describe('shape', () => {
  it('reshapes to as many elements and refuses another number', () => {
    expect(createPreparation(dataConfig({ reshape: [144] }), DATASET.imageShape, { mean: 0, deviation: 1 }).sampleShape).toEqual([144]);
    expect(() => prepare({ reshape: [12, 11] }, [0])).toThrow('data.reshape is [12, 11], 132 elements, expected 144 as an image of 12x12x1 has');
  });

  it('repeats a grey image in three channels', () => {
    const out = prepare({ channels: 3, scale: 'none' }, [4]);
    expect([...out]).toEqual(pixelsOf(4).flatMap((pixel) => [pixel, pixel, pixel]));
  });

  it('resizes bilinearly with pixel centres matched, as PyTorch does with align_corners=False', () => {
    const ramp: Dataset = { images: Uint8Array.of(0, 100, 200, 40), labels: Uint8Array.of(0), imageShape: { height: 2, width: 2, channels: 1 }, numExamples: 1 };
    const resized = prepare({ resize: [8, 8], scale: 'none' }, [0], null, ramp);
    // The columns lie at x = 0, 0, 1/8, 3/8, 5/8, 7/8, 1, 1 of the source; row 3 at y = 3/8, where the value is 75 + 2.5 x.
    expect([...resized.subarray(0, 8)]).toEqual([0, 0, 12.5, 37.5, 62.5, 87.5, 100, 100]);
    expect([...resized.subarray(24, 32)]).toEqual([75, 75, 75.3125, 75.9375, 76.5625, 77.1875, 77.5, 77.5]);
    expect([...resized.subarray(56, 64)]).toEqual([200, 200, 180, 140, 100, 60, 40, 40]);
  });

  it('keeps a flat image flat at any size, with three channels', () => {
    const flat = { ...DATASET, images: new Uint8Array(DATASET.images.length).fill(77) };
    const out = prepare({ resize: [32, 50], channels: 3, scale: 'none' }, [0], null, flat);
    expect(out.length).toBe(32 * 50 * 3);
    expect(out.every((value) => value === 77)).toBe(true);
  });
});

describe('augmentation', () => {
  const all = { shift: 2, rotation: 20, zoom: 0.2, elastic: { alpha: 8, sigma: 2 } };
  const draw = { seed: 42, epoch: 1 };

  it('with nothing to vary changes no bit', () => {
    expect(prepare({ augmentation: {} }, [1, 2], draw)).toEqual(prepare({}, [1, 2]));
  });

  it('is composed with a resize', () => {
    const plain = prepare({ resize: [20, 16], channels: 3 }, [1]);
    const augmented = prepare({ augmentation: {}, resize: [20, 16], channels: 3 }, [1], draw);
    expect(Math.max(...augmented.map((value, at) => Math.abs(value - plain[at]!)))).toBeLessThan(1e-6);
  });

  it('leaves evaluation alone', () => {
    expect(prepare({ augmentation: all }, [1, 2], null)).toEqual(prepare({}, [1, 2]));
  });

  it('gives a sample the same pixels whatever batch it is in', () => {
    fc.assert(fc.property(fc.array(fc.nat(29), { minLength: 1, maxLength: 8 }), (indices) => {
      const batch = prepare({ augmentation: all }, indices, draw);
      indices.forEach((index, position) => {
        expect(batch.subarray(position * 144, (position + 1) * 144)).toEqual(prepare({ augmentation: all }, [index], draw));
      });
    }), { seed: 3, numRuns: 20 });
  });

  it('varies with the epoch, the seed and the sample', () => {
    const same = { ...DATASET, images: DATASET.images.map((_, at) => DATASET.images[at % 144]!) };
    const first = prepare({ augmentation: all }, [0], draw, same);
    expect(prepare({ augmentation: all }, [0], { ...draw, epoch: 2 }, same)).not.toEqual(first);
    expect(prepare({ augmentation: all }, [0], { ...draw, seed: 43 }, same)).not.toEqual(first);
    expect(prepare({ augmentation: all }, [1], draw, same)).not.toEqual(first);
  });

  it.each([['shift', { shift: 3 }], ['rotation', { rotation: 45 }], ['zoom', { zoom: 0.3 }], ['elastic', { elastic: { alpha: 20, sigma: 3 } }]])('by %s stays within the range of the pixels and changes them', (_, augmentation) => {
    const out = prepare({ augmentation }, [0, 1, 2], draw);
    expect(out).not.toEqual(prepare({}, [0, 1, 2]));
    expect(out.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it('moves a dot by the shift at most, and not far by a small rotation', () => {
    const dot: Dataset = { images: new Uint8Array(25 * 25), labels: Uint8Array.of(0), imageShape: { height: 25, width: 25, channels: 1 }, numExamples: 1 };
    dot.images[12 * 25 + 12] = 255;
    for (let epoch = 0; epoch < 50; epoch += 1) {
      const [y, x] = centreOfMass(prepare({ augmentation: { shift: 4, rotation: 30 } }, [0], { seed: 1, epoch }, dot), 25);
      expect(Math.abs(y - 12)).toBeLessThan(4.5 * Math.SQRT2);
      expect(Math.abs(x - 12)).toBeLessThan(4.5 * Math.SQRT2);
    }
  });
});

function centreOfMass(pixels: Float32Array, width: number): [number, number] {
  const total = pixels.reduce((sum, value) => sum + value, 0);
  const moment = (coordinate: (at: number) => number): number => pixels.reduce((sum, value, at) => sum + value * coordinate(at), 0) / total;
  return [moment((at) => Math.floor(at / width)), moment((at) => at % width)];
}
