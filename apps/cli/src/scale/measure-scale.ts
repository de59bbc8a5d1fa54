import { join } from 'node:path';
import { medianOf } from '@lockstep/core';
import { ScaleCluster, type LightLink } from './scale-cluster.ts';
import type { CoordinatorCost } from './scale-messages.ts';
import { microBatchesFor } from './scale-run.ts';

export interface ScaleOptions {
  /** How many workers, one measurement each. */
  readonly workers: readonly number[];
  /** Over how many the steady state is measured. */
  readonly steps: number;
  /** Length of the flat vector. */
  readonly parameters: number;
  /** What a micro-batch takes a worker. */
  readonly computeMs: number;
  /** Over which the workers are dealt. */
  readonly processes: number;
}

/** What a run with so many workers takes and costs. */
export interface ScaleRow extends CoordinatorCost {
  readonly workers: number;
  readonly microBatches: number;
  /** From a worker's beginning to connect until the end of the first step that it is a part of. */
  readonly joinMs: number;
  /** From the kill of a worker that computes until the step in flight is done; null where none is left to do it. */
  readonly lostMs: number | null;
}

export interface ScaleSurroundings {
  /** For what the runs write; the caller removes it. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
}

const WARM_UP_STEPS = 50;
/** So often a worker is killed and another joins; the median counts. */
const CHANGES = 3;
/** After a loss, before another joins: the others have its part by then. */
const SETTLING_STEPS = 5;

/** Measures one number of workers after another, each in processes of its own. */
export async function* measureScale(options: ScaleOptions, surroundings: ScaleSurroundings): AsyncGenerator<ScaleRow> {
  for (const workers of options.workers) {
    yield await new ScaleMeasurement(options, surroundings, workers).run();
  }
}

class ScaleMeasurement {
  readonly #options: ScaleOptions;
  readonly #surroundings: ScaleSurroundings;
  readonly #workers: number;

  constructor(options: ScaleOptions, surroundings: ScaleSurroundings, workers: number) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#workers = workers;
  }

  async run(): Promise<ScaleRow> {
    const { directory, signal } = this.#surroundings;
    this.#say('starting');
    await using cluster = await ScaleCluster.start({ ...this.#options, directory: join(directory, String(this.#workers)), workers: this.#workers, signal });
    return await cluster.whileRunning(this.#measure(cluster));
  }

  async #measure(cluster: ScaleCluster): Promise<ScaleRow> {
    const cost = await this.#steadyCost(cluster);
    const [joins, losses]: [number[], (number | null)[]] = [[], []];
    for (let change = 1; change <= CHANGES; change += 1) {
      this.#say(`loss and join ${change} of ${CHANGES}`);
      const next = await cluster.prepareVisitor();
      losses.push(await this.#lose(cluster));
      joins.push(await this.#join(cluster, next));
    }
    const known = losses.filter((ms) => ms !== null);
    return { workers: this.#workers, microBatches: microBatchesFor(this.#workers), ...cost, joinMs: medianOf(joins), lostMs: known.length === 0 ? null : medianOf(known) };
  }

  async #steadyCost({ coordinator }: ScaleCluster): Promise<CoordinatorCost> {
    const { steps } = this.#options;
    coordinator.onReport = (report) => {
      if (report.kind === 'progress') this.#say(`step ${report.steps} of ${WARM_UP_STEPS + steps}`);
    };
    coordinator.send({ kind: 'measure', warmUpSteps: WARM_UP_STEPS, steps });
    const { cost } = await coordinator.next('measured', this.#surroundings.signal);
    coordinator.onReport = () => undefined;
    return cost;
  }

  async #lose(cluster: ScaleCluster): Promise<number | null> {
    const { observer } = cluster;
    const dying = await cluster.killVisitor().next('dying', this.#surroundings.signal);
    if (observer === null) return null;
    const doneMs = await this.#begun(observer, dying.step + 1);
    await this.#begun(observer, dying.step + SETTLING_STEPS);
    return doneMs - dying.atMs;
  }

  async #join(cluster: ScaleCluster, light: LightLink): Promise<number> {
    const { signal } = this.#surroundings;
    cluster.join(light);
    const { atMs } = await light.next('joining', signal);
    const { rank } = await light.next('welcomed', signal);
    cluster.coordinator.send({ kind: 'await-rank', rank });
    const { step } = await cluster.coordinator.next('took-part', signal);
    return (await this.#begun(light, step + 1)) - atMs;
  }

  /** When a worker of that process first began this step or a later one: the one before is done. */
  async #begun(light: LightLink, step: number): Promise<number> {
    light.send({ kind: 'await-step', step });
    return (await light.next('began', this.#surroundings.signal)).atMs;
  }

  #say(message: string): void {
    this.#surroundings.onProgress(`${this.#workers} ${this.#workers === 1 ? 'worker' : 'workers'}: ${message}`);
  }
}
