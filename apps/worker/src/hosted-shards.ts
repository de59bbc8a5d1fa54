import { rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import type { LockstepError } from '@lockstep/core';
import { ShardHost } from '@lockstep/parameter-server';
import { createProcessDirectory, HostClient, insecureClientCredentials } from '@lockstep/transport';

export interface HostedShardsOptions {
  /** `HOST:PORT` or `unix:PATH` of the coordinator. */
  readonly join: string;
  /** The host name or IP on which the shards listen. */
  readonly listenHost: string;
  /** How long shards may go on that have not been told to finish when the worker was, in milliseconds. */
  readonly graceMs: number;
  /** The shards cannot go on. Called once. */
  readonly onFailure: (error: LockstepError) => void;
}

/** The shards that a worker's process hosts, a thread each: a membership of its own beside the worker's. */
export class HostedShards {
  readonly #options: HostedShardsOptions;
  readonly #scratch = createProcessDirectory(tmpdir());
  readonly #host: ShardHost;
  readonly #finished = Promise.withResolvers<void>();
  #grace: NodeJS.Timeout | null = null;

  constructor(options: HostedShardsOptions) {
    this.#options = options;
    this.#host = new ShardHost({
      kind: 'worker',
      hostname: hostname(),
      listenOn: (generation, shard) => [`unix:${joinPath(this.#scratch, `shard-${generation}-${shard}.sock`)}`, `${options.listenHost}:0`],
      sharedMemory: true,
      connect: (events) => new HostClient({ address: options.join, credentials: insecureClientCredentials(), events }),
      onEnd: (error) => (error === null ? this.#finished.resolve() : options.onFailure(error)),
    });
  }

  /** Resolves when the host has been told to finish. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Asks the coordinator to put the shards elsewhere; they go on until they are told to finish. */
  leave(): void {
    this.#host.leave();
  }

  /** The worker was told to finish: its shards will be, or are given up. */
  expectFinish(): void {
    this.#grace ??= setTimeout(() => this.#finished.resolve(), this.#options.graceMs);
  }

  async close(): Promise<void> {
    if (this.#grace !== null) clearTimeout(this.#grace);
    await this.#host.close();
    await rm(this.#scratch, { recursive: true, force: true });
  }
}
