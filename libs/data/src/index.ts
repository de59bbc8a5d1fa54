export type { AugmentationDraw } from './augmentation.ts';
export { globalBatchOf, microBatchRange, stepsPerEpoch, type GlobalBatch } from './batches.ts';
export { decodeSplits, encodeSplits } from './block.ts';
export { FAULTS, type CleaningReport, type Fault, type FaultCount, type FaultExample, type SampleOrigin } from './cleaning-report.ts';
export { countLabels, imageLengthOf, type Dataset, type ImageShape } from './dataset.ts';
export { loadSplits, type DataSplits, type LoadOptions } from './load-splits.ts';
export { createPreparation, type Preparation } from './preparation.ts';
export { createSampleOrder, type SampleOrder } from './sample-order.ts';
export type { Statistics } from './statistics.ts';
