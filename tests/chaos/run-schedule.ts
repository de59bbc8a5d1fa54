import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@lockstep/core';
import { command, Network } from '@lockstep/testbed';
import { checkRun } from './check-run.ts';
import { Cluster, RUN } from './cluster.ts';
import { farewell } from './farewell.ts';
import { findLeftovers } from './leftovers.ts';
import { playFaults, type StruckFault } from './play-faults.ts';
import { Progress } from './progress.ts';
import type { QuietRun } from './quiet-run.ts';
import type { Schedule } from './schedule.ts';
import { SmallDisk } from './faults/small-disk.ts';
import { StallWatch } from './stall-watch.ts';

export interface Outcome {
  readonly schedule: Schedule;
  readonly faults: readonly StruckFault[];
  /** What is not as it must be; none: the run passed. */
  readonly problems: readonly string[];
  /** What happened last, a line each; empty where the run passed. */
  readonly story: readonly string[];
  readonly seconds: number;
  /** Where the logs and the run's files are; removed where the run passed. */
  readonly directory: string;
}

export interface ChaosOptions {
  readonly failureDetectionMs: number;
  readonly quiet: QuietRun;
  readonly epochs: number;
  /** Gradients are compressed: who is lost takes along what it held back, so any loss may cost steps. */
  readonly compressed: boolean;
  /** Ends it before its end. */
  readonly signal: AbortSignal;
}

/** What a run has come to so far. */
interface Course {
  readonly faults: StruckFault[];
  readonly progress: Progress;
}

/** What the run's config leaves open. Checkpoints, at multiples of 5, are where windows begin. */
export const runFlags = (compressed: boolean): readonly string[] => (compressed ? ['--wire', 'topK', '--wire.ratio', '0.05', '--wire.dense-every', '5'] : []);

/** Runs a schedule against real processes and says what is not as it must be. */
export async function runSchedule(schedule: Schedule, options: ChaosOptions): Promise<Outcome> {
  const startedMs = performance.now();
  const directory = await mkdtemp(join(tmpdir(), `lockstep-chaos-${schedule.seed}-`));
  await mkdir(join(directory, 'logs'));
  const course: Course = { faults: [], progress: new Progress() };
  const problems: string[] = [];
  {
    await using disk = await SmallDisk.mount(join(directory, 'disk'));
    const run = join(disk.path, RUN);
    try {
      problems.push(...(await playOn(disk, run, join(directory, 'logs'), schedule, options, course)));
    } catch (error) {
      problems.push(firstLine(error));
    }
    disk.free();
    if (problems.length > 0) await command('cp', '-a', run, join(directory, 'run')).catch(() => undefined);
  }
  if (problems.length === 0) await rm(directory, { recursive: true });
  const story = problems.length === 0 ? [] : course.progress.story;
  return { schedule, faults: course.faults, problems, story, seconds: (performance.now() - startedMs) / 1000, directory };
}

async function playOn(disk: SmallDisk, run: string, logs: string, schedule: Schedule, { failureDetectionMs, quiet, epochs, compressed, signal }: ChaosOptions, { faults, progress }: Course): Promise<readonly string[]> {
  const { shape } = schedule;
  const unexpected: UnexpectedEnd[] = [];
  await using network = shape.place === 'network' ? await Network.create(`lockstep-${process.pid}-${schedule.seed}`) : null;
  using stall = new StallWatch(progress, signal);
  await using cluster = new Cluster({
    shape, epochs, flags: runFlags(compressed), failureDetectionMs, runsDirectory: disk.path, directory: logs, network,
    onEvent: (event) => progress.record(event),
    onUnexpectedEnd: (name, exitCode, stderr) => {
      unexpected.push({ name, exitCode, stderr, atMs: performance.now() });
      if (name === 'coordinator' && !(progress.ended && exitCode === 0)) stall.abort(new Error('the coordinator is gone'));
    },
  });
  try {
    await cluster.startAll(shape, { resume: false, minWorkers: shape.workers.length });
    const { mustBeNamed, unsettled } = await playFaults(schedule, { cluster, disk, progress, signal: stall.signal }, failureDetectionMs, faults);
    await stall.within(cluster.coordinator.process.ended);
    const late = await farewell(cluster, unsettled());
    const wrong = await checkRun(run, progress.events.map(({ event }) => event), quiet, mustBeNamed);
    const breaches = faults.filter(({ isBreach }) => isBreach && !compressed).map(({ label, stepsLost }) => `${label}: ${stepsLost} steps lost, expected none`);
    return [...describeEnds(unexpected, progress), ...breaches, ...late, ...wrong, ...(await findLeftovers(cluster, run, logs))];
  } catch (error) {
    return [firstLine(error), ...describeEnds(unexpected, progress)];
  }
}

/** A process that nobody killed or asked to leave. */
interface UnexpectedEnd {
  readonly name: string;
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly atMs: number;
}

/** The coordinator's word of the run's end may be read after the others have obeyed it. */
const LAST_WORD_MS = 1_000;

/** Those that were not because the run had ended well. */
function describeEnds(ends: readonly UnexpectedEnd[], { endedMs }: Progress): readonly string[] {
  return ends.filter(({ exitCode, atMs }) => exitCode !== 0 || atMs < endedMs - LAST_WORD_MS)
    .map(({ name, exitCode, stderr }) => `${name} ended by itself with ${exitCode}: ${/^error: .*/m.exec(stderr)?.[0] ?? stderr.trim()}`);
}

const firstLine = (error: unknown): string => messageOf(error).split('\n')[0] ?? '';
