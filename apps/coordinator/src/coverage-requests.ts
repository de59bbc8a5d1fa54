import type { CoverageMessage, HostCommand, ShardCoverage } from '@lockstep/transport';
import { joinCoverage, type StepCoverage, type UnknownCoverage } from './shard-reports.ts';

interface Asked {
  readonly shards: number;
  readonly parts: Map<number, ShardCoverage>;
  readonly done: PromiseWithResolvers<StepCoverage | UnknownCoverage>;
}

/** Questions to all shards what their step lacks. */
export class CoverageRequests {
  readonly #broadcast: (command: HostCommand) => void;
  readonly #asked = new Map<number, Asked>();
  #next = 0;

  constructor(broadcast: (command: HostCommand) => void) {
    this.#broadcast = broadcast;
  }

  /** Where shards do not answer in time, it is not known; `describe` names one and who holds it. */
  async ask(shards: number, timeoutMs: number, describe: (shard: number) => string): Promise<StepCoverage | UnknownCoverage> {
    const request = this.#next;
    this.#next += 1;
    const done = Promise.withResolvers<StepCoverage | UnknownCoverage>();
    const parts = new Map<number, ShardCoverage>();
    this.#asked.set(request, { shards, parts, done });
    const late = setTimeout(() => {
      const silent = Array.from({ length: shards }, (_, shard) => shard).filter((shard) => !parts.has(shard));
      done.resolve({ unknown: `no answer from ${silent.map(describe).join(', ')}` });
    }, timeoutMs);
    this.#broadcast({ coverage: { request } });
    try {
      return await done.promise;
    } finally {
      clearTimeout(late);
      this.#asked.delete(request);
    }
  }

  /** Takes a host's answer for its shards of a generation; `untold` are those that have not told of the step that is awaited. */
  take({ request, shards }: CoverageMessage, generation: number, untold: readonly number[]): void {
    const asked = this.#asked.get(request);
    if (asked === undefined) return;
    for (const part of shards) if (part.generation === generation) asked.parts.set(part.shard, part);
    if (asked.parts.size === asked.shards) asked.done.resolve(joinCoverage(asked.parts, untold));
  }
}
