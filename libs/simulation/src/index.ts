export { PART_NAMES, type StepParts } from './breakdown.ts';
export { clusterSchema, type Cluster, type ClusterOptions } from './cluster.ts';
export { predict, predictAll, type Prediction, type PredictionOptions } from './predict.ts';
