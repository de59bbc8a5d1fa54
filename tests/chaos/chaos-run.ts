import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTools } from '@lockstep/testbed';
import { runQuietly, type QuietRun } from './quiet-run.ts';
import { runFlags, runSchedule, type Outcome } from './run-schedule.ts';
import { drawSchedule } from './schedule.ts';

const FAILURE_DETECTION_MS = 1_000;
const FAULTS_A_RUN = 10;
/** The last few may come too late for the run's end. */
const LEAST_FAULTS = 8;
const EPOCHS = 36;

/** Any number of runs with faults, held against one without. */
export class Chaos implements AsyncDisposable {
  readonly #directory: string;
  readonly #compressed: boolean;
  /** By epochs. */
  readonly #quiet = new Map<number, QuietRun>();

  private constructor(directory: string, compressed: boolean) {
    this.#directory = directory;
    this.#compressed = compressed;
  }

  /** @throws where this machine lacks what the faults need. */
  static async begin({ compressed = false } = {}): Promise<Chaos> {
    await requireTools('chaos');
    return new Chaos(await mkdtemp(join(tmpdir(), 'lockstep-quiet-')), compressed);
  }

  /** The run without faults. @throws where it fails. */
  async quiet(epochs = EPOCHS): Promise<QuietRun> {
    const quiet = this.#quiet.get(epochs) ?? (await runQuietly(join(this.#directory, String(epochs)), epochs, runFlags(this.#compressed)));
    this.#quiet.set(epochs, quiet);
    return quiet;
  }

  /** Runs a seed's schedule; where that was over before enough faults had struck, as on a fast machine, in a run twice as long. */
  async run(seed: number, signal: AbortSignal = new AbortController().signal): Promise<Outcome> {
    for (let epochs = EPOCHS; ; epochs *= 2) {
      const outcome = await this.#runFor(epochs, seed, signal);
      if (outcome.problems.length > 0 || outcome.faults.length >= LEAST_FAULTS) return outcome;
    }
  }

  async #runFor(epochs: number, seed: number, signal: AbortSignal): Promise<Outcome> {
    const quiet = await this.quiet(epochs);
    const schedule = drawSchedule({ seed, totalSteps: quiet.end.steps, numFaults: FAULTS_A_RUN, failureDetectionMs: FAILURE_DETECTION_MS });
    return runSchedule(schedule, { failureDetectionMs: FAILURE_DETECTION_MS, quiet, epochs, compressed: this.#compressed, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true });
  }
}
