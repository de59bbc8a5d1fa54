import type { RunEvent, ShardsEvent } from '@lockstep/core';

/** Enough to see what led to a hang. */
const STORY_LINES = 60;

export interface TimedEvent {
  readonly event: RunEvent;
  /** When it came, on the clock of `performance.now()`. */
  readonly atMs: number;
}

/** What the coordinators of a run, one after another, have told of it. */
export class Progress {
  readonly events: TimedEvent[] = [];
  /** The highest step that has finished; -1 before the first. */
  highestStep = -1;
  /** When the run last got on: a step higher than all before it finished, a process came, the shards were placed. */
  advancedMs = performance.now();
  /** Steps that a return to a checkpoint threw away. */
  stepsLost = 0;
  #generation: number | null = null;
  /** The hosts of the shards, in range order. */
  #shardHosts: readonly string[] = [];
  readonly #shardsInStep = new Set<number>();
  readonly #waiting = new Set<(timed: TimedEvent) => void>();
  readonly #startMs = performance.now();
  readonly #story: string[] = [];

  record(event: RunEvent): void {
    const timed = { event, atMs: performance.now() };
    this.events.push(timed);
    if (event.event === 'step' && event.step > this.highestStep) {
      this.highestStep = event.step;
      this.advancedMs = timed.atMs;
    }
    if (event.event === 'start' || event.event === 'worker' || event.event === 'shards') this.advancedMs = timed.atMs;
    // A coordinator that is back says anew which replicas are in step.
    if (event.event === 'start') this.#shardsInStep.clear();
    if (event.event === 'shards') this.#takePlacement(event);
    if (event.event === 'log') this.#takeReplicaNote(event.message);
    const said = sayingOf(event);
    if (said !== null) this.#tell(said);
    for (const tell of this.#waiting) tell(timed);
  }

  /** Every shard has a replica that could take over without a lost step. */
  get replicasInStep(): boolean {
    return this.#shardHosts.length > 0 && this.#shardsInStep.size === this.#shardHosts.length;
  }

  /** The coordinator's end takes no shard with it. */
  get shardsAreElsewhere(): boolean {
    return this.#shardHosts.length > 0 && !this.#shardHosts.includes('the coordinator');
  }

  get ended(): boolean {
    return this.endedMs < Infinity;
  }

  /** When the run's end was told of; Infinity before. */
  get endedMs(): number {
    return this.events.find(({ event }) => event.event === 'end')?.atMs ?? Infinity;
  }

  /** Something that is done to the run, for its story. */
  note(what: string): void {
    this.#tell(what);
  }

  /** What has happened last, a line each: what was done to the run, and what its coordinators said of it. */
  get story(): readonly string[] {
    return this.#story.slice(-STORY_LINES);
  }

  /** What was said last. */
  get lastWord(): string {
    return this.#story.at(-1) ?? 'no word of why';
  }

  /** When such an event came, past or to come; rejects when `signal` is aborted first. */
  async first(matches: (event: RunEvent) => boolean, signal: AbortSignal): Promise<number> {
    const past = this.events.find(({ event }) => matches(event));
    if (past !== undefined) return past.atMs;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const tell = ({ event, atMs }: TimedEvent) => matches(event) && resolve(atMs);
    const abort = () => reject(signal.reason as Error);
    this.#waiting.add(tell);
    signal.addEventListener('abort', abort);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(tell);
      signal.removeEventListener('abort', abort);
    }
  }

  /** When `step`, or one after it, or the run's end, was told of. */
  reached(step: number, signal: AbortSignal): Promise<number> {
    return this.first((event) => (event.event === 'step' && event.step >= step) || event.event === 'end', signal);
  }

  #tell(what: string): void {
    this.#story.push(`${((performance.now() - this.#startMs) / 1000).toFixed(2)} s, after step ${this.highestStep}: ${what}`);
  }

  /** A new generation starts from an earlier version than the one that had been reached: what lies between is done again. */
  #takePlacement({ generation, version, hosts }: ShardsEvent): void {
    const isNew = generation !== this.#generation;
    if (this.#generation !== null && isNew) this.stepsLost += Math.max(0, this.highestStep + 1 - version);
    hosts.forEach((host, shard) => {
      if (isNew || host !== this.#shardHosts[shard]) this.#shardsInStep.delete(shard);
    });
    this.#generation = generation;
    this.#shardHosts = hosts;
  }

  #takeReplicaNote(message: string): void {
    const shard = Number(/^shard (\d+) has/.exec(message)?.[1]);
    if (message.includes('has a replica in step')) this.#shardsInStep.add(shard);
    else if (message.includes('has lost its replica')) this.#shardsInStep.delete(shard);
  }
}

/** What an event says of the cluster, or null where it only says that the run gets on. */
function sayingOf(event: RunEvent): string | null {
  switch (event.event) {
    case 'log': return event.message;
    case 'stall': return event.reason;
    case 'worker': return `worker ${event.rank} (process ${event.pid}) ${event.state}`;
    case 'shards': return `shards on ${event.hosts.join(', ')}: generation ${event.generation} from version ${event.version}, since ${event.cause}`;
    case 'start': return 'a coordinator has begun';
    default: return null;
  }
}
