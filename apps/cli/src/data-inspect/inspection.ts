import { deriveSeed, type RunConfig } from '@lockstep/core';
import { countLabels, createPreparation, createSampleOrder, loadSplits, type DataSplits, type Dataset, type ImageShape } from '@lockstep/data';

/** One sample as the model sees it, but still as bytes. */
export interface SamplePicture {
  readonly className: string;
  /** `[height, width, channels]` of the inspection's `pictureShape`. */
  readonly pixels: Uint8Array;
}

export interface LabelCount {
  readonly className: string;
  readonly training: number;
  readonly validation: number;
  readonly test: number;
}

/** What `lockstep data inspect` shows. */
export interface Inspection {
  readonly config: RunConfig;
  readonly splits: DataSplits;
  readonly samples: readonly SamplePicture[];
  readonly pictureShape: ImageShape;
  readonly labelCounts: readonly LabelCount[];
}

const NUM_SAMPLES = 9;
/** So many samples are searched for labels that the grid does not have yet. */
const SEARCHED = 500;

/** Reads the data as a run would, except that bad samples are always dropped: the report is what one came for. */
export async function inspectData(config: RunConfig, onProgress: (done: number, total: number, what: string) => void): Promise<Inspection> {
  const splits = await loadSplits({ ...config.data, onBadSample: 'drop' }, { seed: config.seed, onProgress });
  const [training, validation, test] = [splits.training, splits.validation, splits.test].map((part) => countLabels(part, splits.classNames.length));
  const labelCounts = splits.classNames.map((className, label) => ({ className, training: training![label]!, validation: validation![label]!, test: test![label]! }));
  return { config, splits, ...drawSamples(config, splits), labelCounts };
}

function drawSamples(config: RunConfig, { training, classNames, statistics }: DataSplits): Pick<Inspection, 'samples' | 'pictureShape'> {
  const preparation = createPreparation({ ...config.data, scale: 'none', reshape: null }, training.imageShape, statistics);
  const [height, width, channels] = preparation.sampleShape as [number, number, number];
  const indices = chooseSamples(training, deriveSeed(config.seed, 'inspection'));
  const values = new Float32Array(indices.length * preparation.sampleLength);
  preparation.prepare(training, indices, { seed: config.seed, epoch: 0 }, values);
  const samples = indices.map((index, position) => ({
    className: classNames[training.labels[index]!]!,
    pixels: Uint8Array.from(values.subarray(position * preparation.sampleLength, (position + 1) * preparation.sampleLength), Math.round),
  }));
  return { samples, pictureShape: { height, width, channels } };
}

/** Nine samples at random, of as many labels as there are. */
function chooseSamples(dataset: Dataset, seed: number): number[] {
  const order = createSampleOrder(seed, dataset.numExamples);
  const candidates = Array.from({ length: Math.min(SEARCHED, dataset.numExamples) }, (_, position) => order.sampleAt(0, position));
  const firsts = candidates.filter((index, at) => candidates.findIndex((other) => dataset.labels[other] === dataset.labels[index]) === at);
  const others = candidates.filter((index) => !firsts.includes(index));
  const chosen = [...firsts, ...others].slice(0, NUM_SAMPLES);
  return chosen.toSorted((a, b) => dataset.labels[a]! - dataset.labels[b]! || a - b);
}
