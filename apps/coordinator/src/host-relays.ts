import type { Rank } from '@lockstep/core';
import { planRelays, type Membership, type Relay } from '@lockstep/scheduling';
import type { CoordinatorMessage, PlacementMessage, RelayReadyMessage } from '@lockstep/transport';

export interface HostRelaysOptions {
  readonly sharedMemory: boolean;
  readonly membership: () => Membership;
  /** Of the machine that each shard is on, in range order. */
  readonly shardHostnames: () => readonly string[];
  readonly send: (rank: Rank, message: CoordinatorMessage) => void;
  /** The workers of this machine exchange by other ways now. */
  readonly onRerouted: (hostname: string) => void;
  readonly onLog: (message: string) => void;
}

interface Known extends Relay {
  /** Where it stands for each of its shards; null before it listens. */
  readonly addresses: readonly string[] | null;
}

/**
 * The relays of machines with several workers: chosen anew whenever the workers or the shards change. A machine's workers
 * go to the shards themselves while their relay is not there, so nothing waits for one.
 */
export class HostRelays {
  readonly #options: HostRelaysOptions;
  #generation = -1;
  #relays: readonly Known[] = [];
  /** Once a step is made the shards have parameters; before, they may ask workers for theirs. */
  #isBegun = false;

  constructor(options: HostRelaysOptions) {
    this.#options = options;
  }

  /** The shards are there now. In a new generation there is no relay before its first step. */
  place(generation: number): void {
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#isBegun = false;
      this.#relays = [];
    }
    this.update();
  }

  /** A step is made. */
  begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.update();
  }

  /** The workers or the shards have changed. */
  update(): void {
    if (!this.#isBegun) return;
    const { membership, shardHostnames } = this.#options;
    const before = this.#relays;
    const planned = planRelays(membership(), shardHostnames(), before);
    this.#relays = planned.map((relay) => before.find((known) => isSame(known, relay)) ?? { ...relay, addresses: null });
    for (const relay of before) if (!this.#relays.includes(relay)) this.#end(relay);
    for (const relay of this.#relays) if (!before.includes(relay)) this.#ask(relay);
  }

  /** A worker says that its relay listens. */
  ready(rank: Rank, { generation, shards, unixAddresses }: RelayReadyMessage): void {
    const relay = this.#relays.find((known) => known.rank === rank);
    if (relay === undefined || generation !== this.#generation || !sameNumbers(relay.shards, shards) || unixAddresses.length !== shards.length) return;
    this.#relays = this.#relays.map((known) => (known === relay ? { ...relay, addresses: unixAddresses } : known));
    this.#options.onLog(`the workers of ${relay.hostname} add up with worker ${rank} what goes to shards elsewhere`);
    this.#options.onRerouted(relay.hostname);
  }

  /** A worker has come back, and may have been told nothing: its relay is asked for anew. */
  repeat(rank: Rank): void {
    const relay = this.#relays.find((known) => known.rank === rank);
    if (relay === undefined) return;
    this.#relays = this.#relays.map((known) => (known === relay ? { ...relay, addresses: null } : known));
    this.#options.onRerouted(relay.hostname);
    this.#ask(relay);
  }

  /** The placement as workers of a machine are to follow it. */
  routed(placement: PlacementMessage, hostname: string): PlacementMessage {
    const relay = this.#relays.find((known) => known.hostname === hostname);
    if (relay?.addresses == null || placement.generation !== this.#generation) return placement;
    const addresses = new Map(relay.shards.map((shard, index) => [shard, relay.addresses?.[index] ?? '']));
    return { ...placement, relayAddresses: placement.shards.map((_, shard) => addresses.get(shard) ?? '') };
  }

  #ask({ rank, shards }: Relay): void {
    this.#options.send(rank, { relay: { generation: this.#generation, shards: [...shards], sharedMemory: this.#options.sharedMemory } });
  }

  /** Its workers are told first: one that loses its way to a relay before would try that again. */
  #end({ hostname, rank, addresses }: Known): void {
    if (addresses !== null) this.#options.onRerouted(hostname);
    this.#options.send(rank, { relay: { generation: this.#generation, shards: [] } });
  }
}

const isSame = (known: Relay, relay: Relay): boolean =>
  known.hostname === relay.hostname && known.rank === relay.rank && sameNumbers(known.shards, relay.shards);

const sameNumbers = (some: readonly number[], others: readonly number[]): boolean =>
  some.length === others.length && some.every((number, index) => number === others[index]);
