import { afterHostLoss } from '@lockstep/scheduling';
import type { Cluster } from './cluster.ts';
import { costsOf, STATE_BYTES } from './costs.ts';
import { processOfWorker, type Layout } from './layout.ts';
import { TrainingSimulation } from './training-simulation.ts';

const MS_OF_HOUR = 3_600_000;
const MS_OF_MINUTE = 60_000;
/** Steps over which the loss of a worker is watched: its own, and until the others' new parts are in force. */
const WATCHED_STEPS = 6;

/**
 * What the losses of workers cost a step of `stepMs` on average. Losses are rare beside steps, so one is simulated, and
 * weighted with how often it comes: workers / MTBF.
 */
export function recoveryMs(cluster: Cluster, workers: number, seed: number, stepMs: number): number {
  if (cluster.mtbfHours === null) return 0;
  const lossesPerMs = workers / (cluster.mtbfHours * MS_OF_HOUR);
  return stepMs * lossesPerMs * costOfLossMs(cluster, workers, seed, stepMs);
}

/** What copying the state for checkpoints costs a step: the shards wait for the copy alone, what follows goes on beside training. */
export function checkpointMs(cluster: Cluster, layout: Layout, stepMs: number): number {
  const intervalMs = checkpointIntervalMs(cluster, layout);
  return intervalMs === null ? 0 : (costsOf(cluster, layout.placements.length).snapshotMs * stepMs) / intervalMs;
}

/** As planned, but no sooner than the last state has come to the coordinator, over its own link where shards are elsewhere. */
export function checkpointIntervalMs(cluster: Cluster, layout: Layout): number | null {
  if (cluster.checkpointMinutes === null) return null;
  const shardsElsewhere = layout.placements.length - (layout.shardsOn[layout.coordinatorHost] ?? 0);
  const elements = (cluster.parameters / layout.placements.length) * shardsElsewhere;
  const throughLinkMs = (elements * STATE_BYTES) / (cluster.linkGbps * 1e9 / 8 / 1000);
  return Math.max(cluster.checkpointMinutes * MS_OF_MINUTE, throughLinkMs);
}

function costOfLossMs(cluster: Cluster, workers: number, seed: number, stepMs: number): number {
  const simulation = new TrainingSimulation(cluster, workers, seed);
  const lost = Math.floor(workers / 2);
  const decision = afterHostLoss(simulation.layout.placements, processOfWorker(lost), () => true);
  const awayMs = cluster.replacementSeconds * 1000;
  // Steps that are made again: on average half of those since the last checkpoint.
  const againMs = (checkpointIntervalMs(cluster, simulation.layout) ?? Infinity) / 2;
  if (decision.kind === 'rollback') return cluster.failureDetectionMs + cluster.restartSeconds * 1000 + againMs;
  if (workers === 1) return cluster.failureDetectionMs + awayMs + stepMs / 2;
  const { extraMs, slowerMs, stepsWithout } = watchLoss(simulation, lost, stepMs);
  return Math.max(0, extraMs) + Math.max(0, slowerMs) * Math.max(0, awayMs / (stepMs + slowerMs) - stepsWithout);
}

/** A worker is lost in the midst of a step: what that takes more than usual, and each step from then on without it. */
function watchLoss(simulation: TrainingSimulation, lost: number, stepMs: number): { extraMs: number; slowerMs: number; stepsWithout: number } {
  simulation.warmUp();
  const begin = simulation.step();
  simulation.killAfter(stepMs / 2, lost);
  const steps = Array.from({ length: WATCHED_STEPS }, () => simulation.step());
  const ends = steps.map(({ atMs }) => atMs);
  const half = WATCHED_STEPS / 2;
  const settledMs = (ends[WATCHED_STEPS - 1]! - ends[half - 1]!) / half;
  return { extraMs: ends[WATCHED_STEPS - 1]! - begin.atMs - WATCHED_STEPS * stepMs, slowerMs: settledMs - stepMs, stepsWithout: WATCHED_STEPS };
}
