import { messageOf, rankOf, type Rank, type RunConfig } from '@lockstep/core';
import { groupLevel, isCompressed, nextWindow, type WirePlan } from '@lockstep/reduction';
import { decideExtras, planAssignment, withLate, withNext, withoutPast, withoutRank, withShares, watchStep, type Assignment, type Given, type Membership, type Speeds } from '@lockstep/scheduling';
import type { CoordinatorMessage, FinishedStep } from '@lockstep/transport';
import type { StepCoverage, UnknownCoverage } from './shard-reports.ts';

export interface WorkDispatcherOptions {
  readonly config: Pick<RunConfig, 'microBatches' | 'backupAfter' | 'failureDetectionMs' | 'wire'>;
  /** In which windows compressed gradients hold something back; asked only once the steps have begun. */
  readonly wirePlan: () => WirePlan;
  readonly membership: () => Membership;
  readonly ranks: () => readonly Rank[];
  /** The least step that a worker is at, by its heartbeats. */
  readonly leastStep: () => number;
  readonly send: (rank: Rank, message: CoordinatorMessage) => void;
  readonly coverage: () => Promise<StepCoverage | UnknownCoverage>;
  /** A worker that leaves has done what it had. */
  readonly onReleased: (rank: Rank) => void;
  /** Nobody who is there could make the step: all shards must go back. */
  readonly onStuck: (cause: string) => void;
  /** A step takes long, for this reason; told once a step. */
  readonly onStall: (step: number, reason: string) => void;
}

interface Standing {
  readonly fromStep: number;
  readonly assignment: Assignment;
}

/** How often it is looked whether the step under way is late. */
const LOOK_MS = 50;
/** An assignment that changes for speed alone takes effect so much later, so that it is there before its first step. */
const AHEAD_MS = 100;
/**
 * Speeds are measured over many steps: whether to change the assignment for them is not worth asking more often. To plan and
 * to tell it costs 20 to 30 microseconds a worker, which is so kept below 1 % of a core.
 */
const PLAN_EVERY_MS = 200;
const PLAN_EVERY_MS_A_WORKER = 4;
/** Failure-detection times without a step after which one that nobody can make counts as such. */
const STUCK_FACTOR = 3;

/**
 * Who computes what: hands out assignments when the members or their speeds change, and watches that every step gets
 * done. A step that lasts has its missing micro-batches looked up and given to workers that live, again and again until
 * it is done, so no loss of a worker or a message can stop a run.
 *
 * Where gradients are compressed, work moves only between windows (libs/reduction, feedback-windows.ts): each is given out by itself, and no
 * worker begins one that it was not given. One that is lost takes along what it held back, so all go back to the last checkpoint.
 */
export class WorkDispatcher {
  readonly #options: WorkDispatcherOptions;
  readonly #watch: NodeJS.Timeout;
  #standing: readonly Standing[] = [];
  /** Of compressed gradients: windows that begin before this step are given out. */
  #givenOut = 0;
  #speeds: Speeds = new Map();
  #untilStep = 0;
  /** The step under way, as far as is known here, and since when. */
  #step = 0;
  #stepSinceMs = performance.now();
  /** Since when it is known that all shards have made it. */
  #madeSinceMs: number | null = null;
  #usualMs = 0;
  /** When it was last asked whether another assignment would be faster. */
  #plannedMs = -Infinity;
  /** What was given out besides in a step. */
  #given: { readonly step: number; readonly parts: readonly Given[] } = { step: 0, parts: [] };
  /** Who leaves, and from which step on others have its part. */
  readonly #leaving = new Map<Rank, number>();
  #explained = '';
  #askedMs: number | null = null;
  #isAsking = false;
  #isOpen = false;

  constructor(options: WorkDispatcherOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
  }

  /** The line that says what the step under way waits for, or ''. */
  get explanation(): string {
    return this.#explained;
  }

  /** The step under way is `step`: the shards have (gone back to) its version. Every worker is told again what is its part. */
  begin(step: number): void {
    this.#isOpen = true;
    this.#step = step;
    this.#stepSinceMs = performance.now();
    this.#madeSinceMs = null;
    this.#standing = [];
    this.#givenOut = step;
    for (const rank of this.#leaving.keys()) this.#leaving.set(rank, step);
    this.#plan(step);
  }

  /** Lets the workers go on up to this step. */
  letGo(untilStep: number): void {
    this.#untilStep = untilStep;
    if (this.#isOpen) this.#plan(this.#step, true);
  }

  /** A worker has come: it gets a part of a coming step, and costs the others nothing. */
  joined(rank: Rank): void {
    if (!this.#isOpen) return;
    if (this.#isBound) return void this.#giveWindows();
    const others = this.#options.ranks().filter((other) => other !== rank);
    const isAlone = !others.some((other) => this.#standing.at(-1)?.assignment.has(other));
    if (this.#plan(isAlone ? this.#step : this.#comingStep)) return;
    const standing = this.#standing.at(-1);
    this.#options.send(rank, { assignment: { fromStep: standing?.fromStep ?? this.#step, untilStep: this.#untilStep, nodes: [...standing?.assignment.get(rank) ?? []] } });
  }

  /** A worker leaves in order: it goes on until a step that others have its part of. */
  leaving(rank: Rank): void {
    const isLast = this.#options.ranks().length === 0;
    if (!this.isBusy || isLast) return this.#letLeave(rank);
    if (this.#isBound) return void this.#leaving.set(rank, this.#givenOut);
    const fromStep = this.#comingStep;
    this.#plan(fromStep);
    this.#options.send(rank, { assignment: { fromStep, untilStep: this.#untilStep, nodes: [] } });
    this.#leaving.set(rank, fromStep);
  }

  /** A worker is gone: what it had of this step goes to others now, and its part of the coming ones. */
  lost(rank: Rank): void {
    this.#leaving.delete(rank);
    this.#speeds = withoutRank(this.#speeds, rank);
    if (this.#mayHoldBack(rank)) this.#goBack(`worker ${rank} is lost, and with it what it held back of its gradients`);
    else if (this.#isOpen) void this.#ask((coverage) => this.#plan((coverage?.step ?? this.#step) + 1));
  }

  finished({ step, workers, atMs }: FinishedStep): void {
    if (step < this.#step) return;
    const endedMs = Math.max(atMs - performance.timeOrigin, this.#stepSinceMs);
    this.#learnUsual((endedMs - this.#stepSinceMs) / (step + 1 - this.#step));
    this.#step = step + 1;
    this.#stepSinceMs = endedMs;
    this.#madeSinceMs = null;
    this.#explained = '';
    this.#speeds = withShares(this.#speeds, workers.map((share) => ({ ...share, rank: rankOf(share.rank) })));
    // One change at a time: the next for speed alone is thought of when the last has taken effect.
    const isDue = endedMs - this.#plannedMs >= Math.max(PLAN_EVERY_MS, workers.length * PLAN_EVERY_MS_A_WORKER) && (this.#standing.at(-1)?.fromStep ?? 0) <= this.#step;
    if (this.#isBound) this.#giveWindows();
    else if (isDue) {
      this.#plannedMs = endedMs;
      this.#plan(this.#comingStep);
    }
    this.#release();
  }

  stop(): void {
    clearInterval(this.#watch);
    this.#isOpen = false;
  }

  /** Steps are to be made, and the workers may make them. */
  get isBusy(): boolean {
    return this.#isOpen && this.#step < this.#untilStep;
  }

  /** A single slow step, of a lost worker say, is not what is usual; neither is one that was made before this process looked. */
  #learnUsual(tookMs: number): void {
    if (tookMs === 0) return;
    this.#usualMs = this.#usualMs === 0 ? tookMs : this.#usualMs * 0.9 + Math.min(tookMs, 4 * this.#usualMs) * 0.1;
  }

  /** Those that leave may go when others have their part, or when there is nothing left to do. */
  #release(): void {
    for (const [rank, fromStep] of this.#leaving) {
      if (this.#step < fromStep && this.isBusy) continue;
      this.#leaving.delete(rank);
      this.#letLeave(rank);
    }
  }

  #letLeave(rank: Rank): void {
    const isMissed = this.#mayHoldBack(rank);
    this.#options.onReleased(rank);
    if (isMissed) this.#goBack(`worker ${rank} has left, and with it what it held back of its gradients`);
  }

  get #comingStep(): number {
    return this.#step + 2 + Math.ceil(AHEAD_MS / Math.max(this.#usualMs, 1));
  }

  /** Assigns from a step on where the members or their speeds call for it, or `always`; says whether it did. */
  #plan(fromStep: number, always = false): boolean {
    if (this.#isBound) return this.#giveWindows();
    const assignment = this.#planned() ?? (always ? this.#standing.at(-1)?.assignment : undefined);
    if (assignment === undefined) return false;
    this.#assign(assignment, fromStep, this.#untilStep);
    return true;
  }

  /** Gives out the window of a step and the next, where that is not done; says whether it did. */
  #giveWindows(step = this.#step): boolean {
    const plan = this.#options.wirePlan();
    const begins = this.#givenOut;
    const enough = nextWindow(plan, nextWindow(plan, step + 1) + 1);
    while (this.#givenOut < Math.min(enough, this.#untilStep) && this.#options.ranks().length > 0) {
      const assignment = this.#planned() ?? this.#standing.at(-1)?.assignment;
      if (assignment === undefined) break;
      const untilStep = Math.min(nextWindow(plan, this.#givenOut + 1), this.#untilStep);
      this.#assign(assignment, this.#givenOut, untilStep);
      this.#givenOut = untilStep;
    }
    return this.#givenOut > begins;
  }

  /** Another assignment than stands last, where the members or their speeds call for it. */
  #planned(): Assignment | undefined {
    const { config: { microBatches, wire }, ranks } = this.#options;
    const current = this.#standing.at(-1)?.assignment ?? null;
    const decision = planAssignment({ current, ranks: ranks(), speeds: this.#speeds, microBatches, unitLevel: isCompressed(wire) ? groupLevel(wire, microBatches) : 0 });
    return decision.kind === 'assign' ? decision.assignment : undefined;
  }

  #assign(assignment: Assignment, fromStep: number, untilStep: number): void {
    this.#standing = withNext(withoutPast(this.#standing, this.#step), { fromStep, assignment });
    for (const [rank, nodes] of assignment) this.#options.send(rank, { assignment: { fromStep, untilStep, nodes: [...nodes] } });
  }

  /** Whether a part of the step stays with the worker that has it. */
  get #isBound(): boolean {
    return isCompressed(this.#options.config.wire);
  }

  /** Whether steps need what this worker alone has: a part of the window under way, or of the next, which may have begun unheard. */
  #mayHoldBack(rank: Rank): boolean {
    return this.#isBound && this.isBusy && withoutPast(this.#standing, this.#step).some(({ assignment }) => (assignment.get(rank) ?? []).length > 0);
  }

  /** Until it begins again nothing more is given out. */
  #goBack(cause: string): void {
    this.#standing = [];
    this.#givenOut = Infinity;
    this.#options.onStuck(cause);
  }

  /** What each worker has of a step, by the assignment that held when it began. */
  #assignmentOf(step: number): Assignment {
    return (this.#standing.findLast(({ fromStep }) => fromStep <= step) ?? this.#standing.at(0))?.assignment ?? new Map();
  }

  #look(): void {
    if (!this.isBusy) return;
    const { backupAfter, failureDetectionMs } = this.#options.config;
    const clock = { nowMs: performance.now(), sinceMs: this.#stepSinceMs, usualMs: this.#usualMs || null, backupAfter, failureDetectionMs, queriedMs: this.#askedMs };
    if (watchStep(clock).kind === 'query') void this.#ask(() => undefined);
  }

  /** Looks up what the step lacks and gives it out; then tells what it has found. One look at a time. */
  async #ask(then: (coverage: StepCoverage | null) => void): Promise<void> {
    if (this.#isAsking) return then(null);
    this.#isAsking = true;
    this.#askedMs = performance.now();
    try {
      const coverage = await this.#options.coverage();
      const isKnown = !('unknown' in coverage);
      if (isKnown && this.#isOpen) this.#give(coverage);
      if (!isKnown && this.isBusy) this.#explain(() => `step ${this.#step} waits for the shards: ${coverage.unknown}`, performance.now());
      then(isKnown ? coverage : null);
    } catch (error) {
      this.#options.onStall(this.#step, `step ${this.#step}: cannot look up what it lacks: ${messageOf(error)}`);
    } finally {
      this.#isAsking = false;
    }
  }

  #give({ step, missing, behind, untold, isSplit }: StepCoverage): void {
    const nowMs = performance.now();
    const ahead = Math.max(this.#step, this.#options.leastStep());
    if (step < ahead) this.#stuckAfter(1, nowMs, `the shards are at step ${step}, the workers at ${ahead}: a replica that took over was behind`);
    if (step > this.#step) this.#awaitReports(untold, nowMs);
    else this.#madeSinceMs = null;
    if (step >= this.#untilStep) return;
    // The shards may be further than they have told: what nobody was given yet is nobody's to be reminded of.
    if (this.#isBound) this.#giveWindows(step);
    if (this.#isBound && step >= this.#givenOut) return;
    const { config, membership } = this.#options;
    const { extras, given, late, explain } = decideExtras({
      nowMs, sinceMs: this.#stepSinceMs, usualMs: this.#usualMs || null, backupAfter: config.backupAfter, failureDetectionMs: config.failureDetectionMs,
      step, missing, shards: behind, assignment: this.#assignmentOf(step), given: step === this.#given.step ? this.#given.parts : [], membership: membership(), speeds: this.#speeds, isBound: this.#isBound,
    });
    this.#given = { step, parts: given };
    this.#speeds = withLate(this.#speeds, late);
    for (const [rank, nodes] of extras) this.#options.send(rank, { extra: { step, nodes: [...nodes] } });
    this.#explain(explain, nowMs);
    if (isSplit) this.#stuckAfter(STUCK_FACTOR, nowMs, `step ${step} is made on some shards, and no worker is left that could complete it on the others`);
  }

  /** Every shard has made the step under way, and some have not told of it: their reports may be on their way, however long the step took. */
  #awaitReports(untold: readonly number[], nowMs: number): void {
    this.#madeSinceMs ??= nowMs;
    const what = `step ${this.#step} is made, and yet to be told of by ${untold.map((shard) => `shard ${shard}`).join(', ')}`;
    this.#explain(() => what, nowMs);
    this.#stuckAfter(STUCK_FACTOR, nowMs, what, this.#madeSinceMs);
  }

  #stuckAfter(factor: number, nowMs: number, cause: string, sinceMs = this.#stepSinceMs): void {
    if (nowMs - sinceMs <= factor * this.#options.config.failureDetectionMs) return;
    this.#stepSinceMs = nowMs;
    this.#madeSinceMs = null;
    this.#options.onStuck(cause);
  }

  /** Once a step, when it has lasted as long as would be worth a look. */
  #explain(explain: (() => string) | null, nowMs: number): void {
    if (explain === null || nowMs - this.#stepSinceMs <= this.#options.config.failureDetectionMs / 4) return;
    const isNew = this.#explained === '';
    this.#explained = explain();
    if (isNew) this.#options.onStall(this.#step, this.#explained);
  }
}
