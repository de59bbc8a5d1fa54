export { PART_NAMES, type StepParts } from './breakdown.ts';
export { calibrate } from './calibrate.ts';
export { clusterSchema, type Cluster, type ClusterOptions } from './cluster.ts';
export { compareRuns, type Comparison } from './compare.ts';
export { measureRun, type MeasuredRun } from './measured-run.ts';
export { predict, predictAll, type Prediction, type PredictionOptions } from './predict.ts';
export { PRESETS, type Preset } from './presets.ts';
