import { rankOf, uniformStream, type Capabilities, type Rank } from '@lockstep/core';
import { planAssignment, type Assignment } from './assignment.ts';
import { memberOf, silentMembers, activeRanks, withActive, withHeard, withJoined, withLeaving, withLeft, withLost, withRejoined, type Membership } from './membership.ts';
import { microBatchesIn } from './node-lists.ts';
import { SimulatedWorker } from './simulated-worker.ts';
import { withLate, withoutRank, withShares, type Speeds } from './speeds.ts';
import { stepInFlight, type Given, type StepState } from './step-state.ts';
import { decideExtras, watchStep } from './step-watch.ts';

export type Fault =
  | { readonly kind: 'join'; readonly msPerMicroBatch: number }
  /** These name a worker by its place in the order of joining, modulo how many there have been. */
  | { readonly kind: 'kill' | 'leave' | 'cut'; readonly worker: number }
  | { readonly kind: 'hang'; readonly worker: number; readonly ms: number }
  | { readonly kind: 'slow'; readonly worker: number; readonly msPerMicroBatch: number };

const MACHINE: Capabilities = { engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, instructionSet: 'AVX2', hostname: 'a', pid: 1 };
const TICK_MS = 5;
const LONGEST_DELAY_MS = 60;
const FAILURE_DETECTION_MS = 200;
const SHARDS = 2;

/**
 * Workers, two shards and a coordinator that follows this library's decisions, on a clock of its own. Each message takes
 * a time of its own, so they overtake one another; those to a worker whose connection breaks are lost.
 */
export class SimulatedCluster {
  nowMs = 0;
  explain: (() => string) | null = null;
  /** How long a step takes, weighted over the last ones. */
  stepMs = 0;
  readonly #microBatches: number;
  readonly #backupAfter: number | null;
  readonly #random: () => number;
  readonly #workers: SimulatedWorker[] = [];
  readonly #shards = Array.from({ length: SHARDS }, () => ({ version: 0, covered: new Set<number>() }));
  #underWay: { readonly atMs: number; readonly arrive: () => void }[] = [];
  #membership: Membership = [];
  #speeds: Speeds = new Map();
  /** What holds from which step on, newest last. */
  #assignments: { readonly fromStep: number; readonly assignment: Assignment }[] = [];
  #given: readonly Given[] = [];
  #sinceMs = 0;
  #queriedMs: number | null = null;
  #known = 0;

  constructor(options: { readonly microBatches: number; readonly backupAfter: number | null; readonly seed: number; readonly workers: number }) {
    this.#microBatches = options.microBatches;
    this.#backupAfter = options.backupAfter;
    this.#random = uniformStream(options.seed);
    for (let worker = 0; worker < options.workers; worker += 1) this.apply({ kind: 'join', msPerMicroBatch: 10 });
  }

  /** The step in flight: no shard has finished it and lost it again. */
  get step(): number {
    return Math.min(...this.#shards.map(({ version }) => version));
  }

  runUntil(done: () => boolean): void {
    while (!done()) {
      this.nowMs += TICK_MS;
      const due = this.#underWay.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs);
      this.#underWay = this.#underWay.filter(({ atMs }) => atMs > this.nowMs);
      for (const { arrive } of due) arrive();
      for (const worker of this.#workers) this.#work(worker);
      this.#coordinate();
    }
  }

  apply(fault: Fault): void {
    if (fault.kind === 'join') { this.#join(fault.msPerMicroBatch); return; }
    const worker = this.#workers[fault.worker % this.#workers.length];
    if (worker?.alive !== true) return;
    switch (fault.kind) {
      case 'kill': worker.alive = false; this.#lose(worker.rank, 'connection broke'); break;
      case 'cut': this.#lose(worker.rank, 'connection broke'); break;
      case 'leave': this.#membership = withLeaving(this.#membership, worker.rank); break;
      case 'hang': worker.hangsUntilMs = this.nowMs + fault.ms; break;
      case 'slow': worker.msPerMicroBatch = fault.msPerMicroBatch; break;
    }
  }

  #join(msPerMicroBatch: number): void {
    const { membership, rank } = withJoined(this.#membership, MACHINE, this.nowMs);
    this.#membership = withActive(membership, rank);
    this.#workers.push(new SimulatedWorker(rank, msPerMicroBatch));
  }

  #lose(rank: Rank, reason: string): void {
    const worker = this.#workers[rank];
    if (worker === undefined || !worker.connected) return;
    worker.connected = false;
    this.#membership = withLost(this.#membership, rank, reason, this.nowMs);
    this.#speeds = withoutRank(this.#speeds, rank);
    this.#help();
  }

  #send(arrive: () => void): void {
    this.#underWay.push({ atMs: this.nowMs + this.#random() * LONGEST_DELAY_MS, arrive });
  }

  #sendTo(rank: Rank, arrive: (worker: SimulatedWorker) => void): void {
    const worker = this.#workers[rank];
    if (worker === undefined) return;
    const { connection } = worker;
    this.#send(() => { if (worker.connection === connection && worker.connected) arrive(worker); });
  }

  #work(worker: SimulatedWorker): void {
    if (!worker.alive || this.nowMs < worker.hangsUntilMs) return;
    if (worker.connected) this.#membership = withHeard(this.#membership, worker.rank, this.nowMs);
    else if (this.#random() < 0.1) this.#rejoin(worker);
    if (this.step > worker.step && this.#random() < 0.5) worker.begin(this.step);
    const { step } = worker;
    for (const microBatch of worker.compute(TICK_MS)) {
      for (const shard of this.#shards.keys()) this.#send(() => { if (worker.alive) this.#push(shard, step, microBatch); });
    }
  }

  #push(shard: number, step: number, microBatch: number): void {
    const at = this.#shards[shard];
    if (at?.version !== step) return;
    at.covered.add(microBatch);
    if (at.covered.size < this.#microBatches) return;
    at.version += 1;
    at.covered.clear();
  }

  #rejoin(worker: SimulatedWorker): void {
    worker.connected = true;
    worker.connection += 1;
    this.#membership = withActive(withRejoined(this.#membership, worker.rank, MACHINE, this.nowMs), worker.rank);
    for (const { fromStep, assignment } of this.#assignments.slice(-2)) this.#sendAssignment(worker.rank, fromStep, assignment);
  }

  #coordinate(): void {
    for (const { rank } of silentMembers(this.#membership, this.nowMs, FAILURE_DETECTION_MS)) this.#lose(rank, 'silent');
    this.#noticeStep();
    this.#assign();
    this.#letLeave();
    const clock = this.#clock();
    if (watchStep({ ...clock, queriedMs: this.#queriedMs }).kind === 'query') this.#help();
  }

  #noticeStep(): void {
    if (this.step === this.#known) return;
    this.#speeds = withShares(this.#speeds, this.#workers.filter(({ alive, step }) => alive && step === this.#known).map(({ share }) => share));
    this.stepMs += (this.nowMs - this.#sinceMs - this.stepMs) * (this.#known === 0 ? 1 : 0.2);
    this.#known = this.step;
    this.#sinceMs = this.nowMs;
    this.#given = [];
    this.explain = null;
  }

  #assign(): void {
    const decision = planAssignment({
      current: this.#assignments.at(-1)?.assignment ?? null, ranks: activeRanks(this.#membership), speeds: this.#speeds, microBatches: this.#microBatches,
    });
    if (decision.kind === 'keep') return;
    const fromStep = this.step + (this.#assignments.length === 0 ? 0 : 1);
    this.#assignments = [...this.#assignments.filter((before) => before.fromStep < fromStep), { fromStep, assignment: decision.assignment }];
    for (const worker of this.#workers) this.#sendAssignment(worker.rank, fromStep, decision.assignment);
  }

  #sendAssignment(rank: Rank, fromStep: number, assignment: Assignment): void {
    this.#sendTo(rank, (worker) => worker.assign(fromStep, assignment.get(rank) ?? []));
  }

  /** A leaving worker ends once the step in flight is none of its own. */
  #letLeave(): void {
    for (const { rank } of this.#membership.filter(({ kind }) => kind === 'leaving')) {
      if ((this.#standing().get(rank)?.length ?? 0) > 0) continue;
      this.#membership = withLeft(this.#membership, rank);
      this.#speeds = withoutRank(this.#speeds, rank);
      const worker = this.#workers[rank];
      if (worker !== undefined) worker.alive = false;
    }
  }

  /** Asks the shards what they lack and gives it to others where it is time. */
  #help(): void {
    this.#queriedMs = this.nowMs;
    const flight = stepInFlight(this.#shards.map(({ version, covered }, shard) => ({
      shard, version, waitsFor: '', missing: Array.from({ length: this.#microBatches }, (_, index) => index).filter((index) => !covered.has(index)),
    })));
    if (flight === null) return;
    const state: StepState = {
      ...this.#clock(), ...flight, assignment: this.#standing(), given: this.#given, membership: this.#membership, speeds: this.#speeds, isBound: false,
    };
    const { extras, given, late, explain } = decideExtras(state);
    this.#given = given;
    this.#speeds = withLate(this.#speeds, late);
    this.explain = explain;
    for (const [rank, nodes] of extras) this.#give(state, rank, microBatchesIn(nodes), () => this.#sendTo(rank, (worker) => worker.give(flight.step, nodes)));
  }

  /** What every decision must keep to, on the way to the worker. */
  #give(state: StepState, rank: Rank, microBatches: readonly number[], send: () => void): void {
    const kind = memberOf(state.membership, rank)?.kind;
    if (kind !== 'active' && kind !== 'leaving') throw new Error(`worker ${rank} is ${kind ?? 'unknown'} and was given ${microBatches.join()}`);
    if (microBatches.some((one) => !state.missing.includes(one))) throw new Error(`worker ${rank} was given ${microBatches.join()}, of which some are there`);
    send();
  }

  /** The assignment that holds at the step in flight. */
  #standing(): Assignment {
    return this.#assignments.findLast(({ fromStep }) => fromStep <= this.step)?.assignment ?? new Map([[rankOf(0), []]]);
  }

  #clock(): Pick<StepState, 'nowMs' | 'sinceMs' | 'usualMs' | 'backupAfter' | 'failureDetectionMs'> {
    return {
      nowMs: this.nowMs, sinceMs: this.#sinceMs, usualMs: this.#known === 0 ? null : this.stepMs, backupAfter: this.#backupAfter,
      failureDetectionMs: FAILURE_DETECTION_MS,
    };
  }
}
