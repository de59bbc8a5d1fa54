/** Pixels of one image; `channels` is 1 (grey) or 3 (red, green, blue). */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Labelled images, one after another. */
export interface Dataset {
  /** Row-major `[numExamples, height, width, channels]`, 0..255. */
  readonly images: Uint8Array;
  /** One class number an image. */
  readonly labels: Uint8Array;
  readonly imageShape: ImageShape;
  readonly numExamples: number;
}

/** Bytes of one image. */
export function imageLengthOf(shape: ImageShape): number {
  return shape.height * shape.width * shape.channels;
}

export function describeShape(shape: ImageShape): string {
  return `${shape.height}x${shape.width}x${shape.channels}`;
}

/** The examples at `indices`, copied, in that order. */
export function selectExamples(dataset: Dataset, indices: Uint32Array): Dataset {
  const length = imageLengthOf(dataset.imageShape);
  const images = new Uint8Array(indices.length * length);
  const labels = new Uint8Array(indices.length);
  indices.forEach((index, position) => {
    images.set(dataset.images.subarray(index * length, (index + 1) * length), position * length);
    labels[position] = dataset.labels[index]!;
  });
  return { images, labels, imageShape: dataset.imageShape, numExamples: indices.length };
}

/** The first `count` examples, as views. */
export function firstExamples(dataset: Dataset, count: number): Dataset {
  if (count >= dataset.numExamples) return dataset;
  const images = dataset.images.subarray(0, count * imageLengthOf(dataset.imageShape));
  return { images, labels: dataset.labels.subarray(0, count), imageShape: dataset.imageShape, numExamples: count };
}

/** How many examples each label has. */
export function countLabels(dataset: Dataset, numClasses: number): Uint32Array {
  const counts = new Uint32Array(numClasses);
  for (let index = 0; index < dataset.numExamples; index += 1) counts[dataset.labels[index]!]! += 1;
  return counts;
}
