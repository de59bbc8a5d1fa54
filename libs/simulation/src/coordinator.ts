import { rankOf, type Capabilities } from '@lockstep/core';
import type { TreeNode } from '@lockstep/reduction';
import {
  activeRanks, decideExtras, planAssignment, stepInFlight, watchStep, withActive, withJoined, withLate, withLost, withoutRank, withShares,
  type Assignment, type Given, type Membership, type ShardCoverage, type Share, type Speeds, type StepClock,
} from '@lockstep/scheduling';
import type { Cluster } from './cluster.ts';
import type { EventQueue } from './event-queue.ts';

export interface CoordinatorOptions {
  readonly cluster: Cluster;
  readonly queue: EventQueue;
  readonly microBatches: number;
  /** What a worker takes for a micro-batch: the model begins in the midst of a run, so it is known. */
  readonly speeds: Speeds;
  readonly coverage: () => readonly ShardCoverage[];
  readonly assign: (worker: number, fromStep: number, nodes: readonly TreeNode[]) => void;
  readonly give: (worker: number, step: number, nodes: readonly TreeNode[]) => void;
}

/** As in the coordinator's dispatcher: how often it looks, and how far ahead it assigns. */
const LOOK_MS = 50;
const AHEAD_MS = 100;
const MACHINE: Capabilities = { engineBuild: 'model', device: 'cpu', gpuKind: null, instructionSet: 'AVX2', hostname: 'model', pid: 0 };

/** Hands out assignments and extras by the decisions that the real coordinator takes. */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  #membership: Membership = [];
  #speeds: Speeds;
  #standing: readonly { readonly fromStep: number; readonly assignment: Assignment }[] = [];
  #given: readonly Given[] = [];
  #step = 0;
  #sinceMs = 0;
  #usualMs = 0;
  #queriedMs: number | null = null;
  #watch = 0;

  constructor(options: CoordinatorOptions, workers: number) {
    this.#options = options;
    this.#speeds = options.speeds;
    for (let worker = 0; worker < workers; worker += 1) {
      const { membership, rank } = withJoined(this.#membership, MACHINE, 0);
      this.#membership = withActive(membership, rank);
    }
  }

  start(): void {
    this.#plan(0);
  }

  /** Whether the newest assignment is in force. */
  get isSettled(): boolean {
    return (this.#standing.at(-1)?.fromStep ?? 0) <= this.#step;
  }

  finished(shares: readonly Share[]): void {
    const tookMs = this.#options.queue.nowMs - this.#sinceMs;
    this.#usualMs = this.#usualMs === 0 ? tookMs : this.#usualMs * 0.9 + Math.min(tookMs, 4 * this.#usualMs) * 0.1;
    this.#step += 1;
    this.#sinceMs = this.#options.queue.nowMs;
    this.#queriedMs = null;
    this.#given = [];
    this.#speeds = withShares(this.#speeds, shares);
    if (this.isSettled) this.#plan(this.#comingStep);
    this.#look((this.#watch += 1));
  }

  lost(worker: number): void {
    const rank = rankOf(worker);
    this.#membership = withLost(this.#membership, rank, 'lost', this.#options.queue.nowMs);
    this.#speeds = withoutRank(this.#speeds, rank);
    this.#ask();
    this.#plan(this.#step + 1);
  }

  get #comingStep(): number {
    return this.#step + 2 + Math.ceil(AHEAD_MS / Math.max(this.#usualMs, 1));
  }

  #plan(fromStep: number): void {
    const { microBatches } = this.#options;
    const decision = planAssignment({ current: this.#standing.at(-1)?.assignment ?? null, ranks: activeRanks(this.#membership), speeds: this.#speeds, microBatches });
    if (decision.kind === 'keep') return;
    const sinceNow = Math.max(0, this.#standing.findLastIndex((standing) => standing.fromStep <= this.#step));
    this.#standing = [...this.#standing.slice(sinceNow).filter((standing) => standing.fromStep < fromStep), { fromStep, assignment: decision.assignment }];
    for (const [rank, nodes] of decision.assignment) this.#send(() => this.#options.assign(rank, fromStep, nodes));
  }

  /** Looks at multiples of its interval, where there may be something to decide. */
  #look(watch: number): void {
    if (watch !== this.#watch) return;
    const { queue } = this.#options;
    const decision = watchStep({ ...this.#clock(), queriedMs: this.#queriedMs });
    if (decision.kind === 'query') this.#queriedMs = queue.nowMs;
    if (decision.kind === 'query' && this.#mayHelp) this.#ask();
    const untilMs = decision.kind === 'wait' ? decision.untilMs : queue.nowMs + LOOK_MS;
    queue.at(Math.ceil(Math.max(untilMs, queue.nowMs + 1) / LOOK_MS) * LOOK_MS, () => this.#look(watch));
  }

  /** A step that is not late and has lost nobody's part is given to nobody: the model saves itself such questions. */
  get #mayHelp(): boolean {
    const { backupAfter, failureDetectionMs } = this.#options.cluster;
    if (this.#membership.some(({ kind }) => kind === 'lost')) return true;
    return watchStep({ ...this.#clock(), queriedMs: null, failureDetectionMs: backupAfter === null ? failureDetectionMs : Infinity }).kind === 'query';
  }

  /** The shards answer after the way there and back. */
  #ask(): void {
    const { queue, coverage, cluster } = this.#options;
    queue.after(2 * cluster.delayMs, () => {
      const flight = stepInFlight(coverage());
      if (flight === null || flight.step !== this.#step || flight.missing.length === 0) return;
      const assignment = this.#standing.findLast(({ fromStep }) => fromStep <= this.#step)?.assignment ?? new Map();
      const { extras, given, late } = decideExtras({ ...this.#clock(), ...flight, assignment, given: this.#given, membership: this.#membership, speeds: this.#speeds, isBound: false });
      this.#given = given;
      this.#speeds = withLate(this.#speeds, late);
      for (const [rank, nodes] of extras) this.#send(() => this.#options.give(rank, flight.step, nodes));
    });
  }

  #send(arrive: () => void): void {
    this.#options.queue.after(this.#options.cluster.delayMs, arrive);
  }

  #clock(): StepClock {
    const { backupAfter, failureDetectionMs } = this.#options.cluster;
    return { nowMs: this.#options.queue.nowMs, sinceMs: this.#sinceMs, usualMs: this.#usualMs || null, backupAfter, failureDetectionMs };
  }
}
