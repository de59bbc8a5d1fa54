import { LockstepError } from '@lockstep/core';
import { describeEnd, LocalProcesses } from '../train/local-processes.ts';
import { ChildLink } from './child-link.ts';
import type { CoordinatorCommand, CoordinatorReport, LightCommand, LightReport } from './scale-messages.ts';
import { prepareScaleRun } from './scale-run.ts';

export type CoordinatorLink = ChildLink<CoordinatorCommand, CoordinatorReport>;
export type LightLink = ChildLink<LightCommand, LightReport>;

export interface ScaleClusterOptions {
  /** For data and the run's directory; the caller removes it. */
  readonly directory: string;
  readonly workers: number;
  /** Over how many processes the workers are dealt; the last worker has one of its own besides. */
  readonly processes: number;
  readonly parameters: number;
  readonly computeMs: number;
  readonly signal: AbortSignal;
}

const GRACE_MS = 15_000;

/** A run's coordinator, its shard in a parameter server, and light workers, each in processes of their own. */
export class ScaleCluster implements AsyncDisposable {
  readonly #options: ScaleClusterOptions;
  readonly #address: string;
  readonly coordinator: CoordinatorLink;
  readonly #servers: LocalProcesses;
  readonly #lights: LightLink[] = [];
  /** Where all workers but one are; null where there is but one. */
  readonly observer: LightLink | null;
  /** The process of the one that comes and goes. */
  visitor: LightLink;
  readonly #failure = Promise.withResolvers<never>();
  /** What ends from now on was told to. */
  readonly #dismissed = new Set<object>();

  private constructor(options: ScaleClusterOptions, coordinator: CoordinatorLink, address: string) {
    this.#options = options;
    this.coordinator = coordinator;
    this.#address = address;
    this.#servers = new LocalProcesses({ count: 1, args: ['parameter-server', '--join', address], onExit: (end) => this.#failure.reject(new LockstepError('worker-lost', describeEnd('the parameter server', end))) });
    this.#failure.promise.catch(() => undefined);
    this.#watch(coordinator);
    const others = dealt(options.workers - 1, options.processes).map((workers) => ({ workers, light: this.#start() }));
    this.observer = others[0]?.light ?? null;
    this.visitor = this.#start();
    for (const { workers, light } of others) light.send({ kind: 'join', address, workers });
    this.visitor.send({ kind: 'join', address, workers: 1 });
  }

  static async start(options: ScaleClusterOptions): Promise<ScaleCluster> {
    const { directory, workers, signal } = options;
    const config = await prepareScaleRun(directory, workers);
    const coordinator: CoordinatorLink = new ChildLink('the coordinator', './coordinator-process.ts', [directory, JSON.stringify(config), String(workers)]);
    try {
      const { unix } = await coordinator.next('listening', signal);
      return new ScaleCluster(options, coordinator, unix);
    } catch (error) {
      await coordinator.end(0);
      throw error;
    }
  }

  /** Settles as `work` does, or rejects as soon as a process that it needs has ended. */
  whileRunning<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure.promise]);
  }

  /** Ends the visitor without a word as soon as it computes; gives it back to be asked when. */
  killVisitor(): LightLink {
    this.#dismissed.add(this.visitor);
    this.visitor.send({ kind: 'die' });
    return this.visitor;
  }

  /** A process that is ready to join; it has not begun to. */
  async prepareVisitor(): Promise<LightLink> {
    const light = this.#start();
    await light.next('ready', this.#options.signal);
    return light;
  }

  /** This process's worker is the visitor now. */
  join(light: LightLink): void {
    this.visitor = light;
    light.send({ kind: 'join', address: this.#address, workers: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.coordinator, ...this.#lights]) this.#dismissed.add(child);
    this.coordinator.send({ kind: 'end' });
    await this.coordinator.end(GRACE_MS);
    await Promise.all([this.#servers.stop(GRACE_MS), ...this.#lights.map((light) => light.end(0))]);
  }

  #start(): LightLink {
    const { parameters, computeMs } = this.#options;
    const light: LightLink = new ChildLink('a process of light workers', './light-workers-process.ts', [String(parameters), String(computeMs)]);
    this.#lights.push(light);
    this.#watch(light);
    return light;
  }

  #watch(child: CoordinatorLink | LightLink): void {
    void child.failed.then((error) => {
      if (!this.#dismissed.has(child)) this.#failure.reject(error);
    });
  }
}

/** Whole workers over at most so many processes, none without. */
function dealt(workers: number, processes: number): number[] {
  return Array.from({ length: Math.min(workers, processes) }, (_, index) => Math.floor((workers + processes - 1 - index) / processes));
}
