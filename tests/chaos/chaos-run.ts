import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTools } from '@lockstep/testbed';
import { runQuietly, type QuietRun } from './quiet-run.ts';
import { runSchedule, type Outcome } from './run-schedule.ts';
import { drawSchedule, type Schedule } from './schedule.ts';

const FAILURE_DETECTION_MS = 1_000;
const FAULTS_A_RUN = 10;

/** Any number of runs with faults, held against one without. */
export class Chaos implements AsyncDisposable {
  readonly quiet: QuietRun;
  readonly #directory: string;

  private constructor(quiet: QuietRun, directory: string) {
    this.quiet = quiet;
    this.#directory = directory;
  }

  /** @throws where this machine lacks what the faults need, or the run without faults fails. */
  static async begin(): Promise<Chaos> {
    await requireTools('chaos');
    const directory = await mkdtemp(join(tmpdir(), 'lockstep-quiet-'));
    return new Chaos(await runQuietly(directory), directory);
  }

  schedule(seed: number): Schedule {
    return drawSchedule({ seed, totalSteps: this.quiet.end.steps, numFaults: FAULTS_A_RUN, failureDetectionMs: FAILURE_DETECTION_MS });
  }

  run(seed: number, signal: AbortSignal = new AbortController().signal): Promise<Outcome> {
    return runSchedule(this.schedule(seed), { failureDetectionMs: FAILURE_DETECTION_MS, quiet: this.quiet, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true });
  }
}
