import { LockstepError, medianOf } from '@lockstep/core';
import { clusterSchema, type Cluster, type ClusterOptions } from './cluster.ts';
import { microBatchTimes, type MeasuredRun } from './measured-run.ts';
import { predict } from './predict.ts';

/** Of a prediction that is compared with a run. */
export const COMPARED_STEPS = { steps: 100, seed: 1 };
/** The median of the difference of two draws is so many of their standard deviations. */
const MEDIAN_DIFFERENCE = 0.6745 * Math.SQRT2;
const MOST_MESSAGE_MS = 5;
const HALVINGS = 24;

/**
 * Fits a description of this machine to runs of one model with 1 and with 2 workers, made on it with the coordinator's shards
 * and shared memory. What the runs do not tell (bandwidths of copies and kernels) is as in `known`.
 *
 * - micro-batch: the median with 1 worker; contention: by how much it is longer with 2;
 * - jitter: from the median difference of two workers in the same step;
 * - messages: what 2 workers' steps take more outside the gradient; overhead: what 1 worker's step takes besides all this.
 * @throws LockstepError `data` where a run with 1 worker is missing, or where runs are of different models.
 */
export function calibrate(runs: readonly MeasuredRun[], known: ClusterOptions, cores: number): ClusterOptions {
  const [alone, two] = [1, 2].map((workers) => runs.find((run) => run.workers === workers));
  if (alone === undefined) throw new LockstepError('data', 'no run with 1 worker among those to calibrate by');
  for (const run of runs) requireSameModel(run, alone);
  const { parameters, microBatches, microBatchSize } = alone;
  const cluster = clusterSchema.parse({
    ...known, parameters, microBatches, microBatchSize, cores, workersPerHost: 64, coordinatorOnFirstHost: true, shardHosts: ['coordinator'], shards: 1,
    microBatchMs: timeOf(alone), contention: two === undefined ? 0 : Math.max(0, timeOf(two) / timeOf(alone) - 1), jitter: jitterOf(two ?? alone),
    overheadMs: 0, mtbfHours: null, checkpointMinutes: null,
  });
  const messageMs = two === undefined ? cluster.messageMs : messageMsOf(cluster, two.stepMs - alone.stepMs);
  const overheadMs = Math.max(0, alone.stepMs - stepMsOf({ ...cluster, messageMs }, 1));
  return { ...cluster, messageMs: rounded(messageMs), overheadMs: rounded(overheadMs), microBatchMs: rounded(timeOf(alone)), contention: rounded(cluster.contention), jitter: rounded(cluster.jitter) };
}

/** What a cluster's step takes in the median, as a run's is measured. */
export const stepMsOf = (cluster: Cluster, workers: number): number => predict(cluster, workers, COMPARED_STEPS).medianStepMs;

const timeOf = ({ steps }: MeasuredRun): number => medianOf(steps.flatMap(({ shares }) => microBatchTimes(shares)));

function jitterOf(run: MeasuredRun): number {
  const times = run.steps.map(({ shares }) => microBatchTimes(shares));
  const usual = timeOf(run);
  if (run.workers === 2) return medianOf(times.map(([a = 0, b = 0]) => Math.abs(a - b))) / MEDIAN_DIFFERENCE / usual;
  return medianOf(times.flat().map((time) => Math.abs(time - usual))) / 0.6745 / usual;
}

/** The cost of a message at which a second worker changes the step by `differenceMs`, which grows with it. */
function messageMsOf(cluster: Cluster, differenceMs: number): number {
  let [low, high] = [0, MOST_MESSAGE_MS];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const messageMs = (low + high) / 2;
    const changed = { ...cluster, messageMs };
    if (stepMsOf(changed, 2) - stepMsOf(changed, 1) < differenceMs) low = messageMs;
    else high = messageMs;
  }
  return low;
}

function requireSameModel(run: MeasuredRun, as: MeasuredRun): void {
  for (const field of ['parameters', 'microBatches', 'microBatchSize'] as const) {
    if (run[field] === as[field]) continue;
    throw new LockstepError('data', `runs to calibrate by must be of one model and batch: ${field} is ${run[field]} in ${run.run}, ${as[field]} in ${as.run}`);
  }
}

const rounded = (value: number): number => Number(value.toPrecision(4));
