import type { CoverageMessage, HostCommand, ShardCoverage } from '@lockstep/transport';
import { joinCoverage, type StepCoverage } from './shard-reports.ts';

interface Asked {
  readonly shards: number;
  readonly parts: Map<number, ShardCoverage>;
  readonly done: PromiseWithResolvers<StepCoverage | null>;
}

/** Questions to all shards what their step lacks. */
export class CoverageRequests {
  readonly #broadcast: (command: HostCommand) => void;
  readonly #asked = new Map<number, Asked>();
  #next = 0;

  constructor(broadcast: (command: HostCommand) => void) {
    this.#broadcast = broadcast;
  }

  /** Resolves with null where a shard does not answer in time. */
  async ask(shards: number, timeoutMs: number): Promise<StepCoverage | null> {
    const request = this.#next;
    this.#next += 1;
    const done = Promise.withResolvers<StepCoverage | null>();
    this.#asked.set(request, { shards, parts: new Map(), done });
    const late = setTimeout(() => done.resolve(null), timeoutMs);
    this.#broadcast({ coverage: { request } });
    try {
      return await done.promise;
    } finally {
      clearTimeout(late);
      this.#asked.delete(request);
    }
  }

  /** Takes a host's answer for its shards of a generation. */
  take({ request, shards }: CoverageMessage, generation: number): void {
    const asked = this.#asked.get(request);
    if (asked === undefined) return;
    for (const part of shards) if (part.generation === generation) asked.parts.set(part.shard, part);
    if (asked.parts.size === asked.shards) asked.done.resolve(joinCoverage(asked.parts, asked.shards));
  }
}
