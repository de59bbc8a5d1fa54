import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Worker } from 'node:worker_threads';
import { assertNever } from '@lockstep/core';
import { createProcessDirectory, type PlacementMessage, type RelayCommand, type RelayReadyMessage } from '@lockstep/transport';
import type { RelaySettings, RelayThreadCommand, RelayThreadData, RelayThreadMessage } from './relay-messages.ts';

export interface HostRelayOptions {
  readonly settings: Omit<RelaySettings, 'sharedMemory'>;
  /** It listens. */
  readonly onReady: (ready: RelayReadyMessage) => void;
  readonly onNote: (message: string) => void;
}

interface Running {
  readonly generation: number;
  readonly shards: readonly number[];
  readonly thread: Worker;
  readonly ended: Promise<void>;
}

/** The relay that a worker's process may be told to be, for all workers of its machine; a thread of its own. */
export class HostRelay {
  readonly #options: HostRelayOptions;
  readonly #ending = new Set<Promise<void>>();
  #placement: PlacementMessage | null = null;
  #running: Running | null = null;

  constructor(options: HostRelayOptions) {
    this.#options = options;
  }

  /** The shards are there now. Those of another generation have a relay of their own, which the coordinator asks for. */
  place(placement: PlacementMessage): void {
    this.#placement = placement;
    const running = this.#running;
    if (running === null) return;
    if (placement.generation !== running.generation) return this.end();
    this.#command(running, { kind: 'place', endpoints: running.shards.flatMap((shard) => placement.shards[shard] ?? []) });
  }

  /** Be a relay to these shards, in place of what it is a relay to now; or to none. */
  take({ generation, shards, sharedMemory }: RelayCommand): void {
    this.end();
    const placement = this.#placement;
    if (shards.length === 0 || placement?.generation !== generation) return;
    const { settings, onNote } = this.#options;
    const relayed = shards.flatMap((shard) => (placement.shards[shard] === undefined ? [] : [{ shard, endpoint: placement.shards[shard] }]));
    const directory = createProcessDirectory(tmpdir());
    const data: RelayThreadData = { ...settings, sharedMemory, token: placement.token, shards: relayed, directory };
    const thread = new Worker(new URL('./relay-thread.ts', import.meta.url), { workerData: data });
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve())).then(() => rm(directory, { recursive: true, force: true }));
    const running: Running = { generation, shards, thread, ended };
    this.#running = running;
    thread.on('message', (message: RelayThreadMessage) => {
      if (this.#running === running) this.#hear(message, running);
    });
    thread.on('error', (error) => onNote(`the relay failed: ${error.message}`));
  }

  /** Be a relay no more. */
  end(): void {
    const running = this.#running;
    if (running === null) return;
    this.#running = null;
    this.#command(running, { kind: 'close' });
    const ended = running.ended.finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  async close(): Promise<void> {
    this.end();
    await Promise.all(this.#ending);
  }

  #hear(message: RelayThreadMessage, { generation, shards }: Running): void {
    const { onReady, onNote } = this.#options;
    switch (message.kind) {
      case 'listening': return onReady({ generation, shards: [...shards], unixAddresses: [...message.addresses] });
      case 'note': return onNote(message.message);
      case 'fault': return onNote(`the relay failed: ${message.message}`);
      default: return assertNever(message);
    }
  }

  #command({ thread }: Running, command: RelayThreadCommand): void {
    thread.postMessage(command);
  }
}
