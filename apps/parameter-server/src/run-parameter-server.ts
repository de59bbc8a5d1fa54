import { rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import type { LockstepError } from '@lockstep/core';
import { ShardHost } from '@lockstep/parameter-server';
import { createProcessDirectory, HostClient, insecureClientCredentials, requireLocalOrInsecure, type HostCommand__Output, type HostLink, type HostLinkEvents } from '@lockstep/transport';

export interface ParameterServerOptions {
  /** `HOST:PORT` or `unix:PATH` of the coordinator. */
  readonly join: string;
  /** The host name or IP on which the shards listen. */
  readonly listenHost: string;
  /** Allow `listenHost` beyond this machine, unencrypted. */
  readonly insecure: boolean;
  /** Whether tensors may go through shared memory. */
  readonly sharedMemory: boolean;
  /** Ends the process at once. */
  readonly signal: AbortSignal;
  /** Asks the coordinator to put the shards elsewhere; the process ends when it is told to finish. */
  readonly leaving: AbortSignal;
  /** Told once, with the host's number, when the process is a member. */
  readonly onWelcome?: (host: number) => void;
}

/**
 * A process that hosts shards, from joining until it is told to finish.
 * @throws LockstepError when it is refused or aborted, or its coordinator does not come back.
 */
export async function runParameterServer(options: ParameterServerOptions): Promise<void> {
  requireLocalOrInsecure(`${options.listenHost}:0`, options.insecure);
  options.signal.throwIfAborted();
  const scratch = createProcessDirectory(tmpdir());
  const server = new ParameterServer(options, scratch);
  try {
    await server.finished;
  } finally {
    await server.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

class ParameterServer {
  readonly #options: ParameterServerOptions;
  readonly #host: ShardHost;
  readonly #finished = Promise.withResolvers<void>();
  #isMember = false;

  constructor(options: ParameterServerOptions, scratch: string) {
    this.#options = options;
    const { listenHost, sharedMemory, signal, leaving } = options;
    this.#finished.promise.catch(() => undefined);
    this.#host = new ShardHost({
      kind: 'server',
      hostname: hostname(),
      listenOn: (generation, shard) => [`unix:${joinPath(scratch, `shard-${generation}-${shard}.sock`)}`, `${listenHost}:0`],
      sharedMemory,
      connect: (events) => this.#connect(events),
      onEnd: (error) => this.#end(error),
    });
    signal.addEventListener('abort', () => this.#finished.reject(signal.reason), { once: true });
    leaving.addEventListener('abort', () => this.#leave(), { once: true });
    if (leaving.aborted) this.#leave();
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  close(): Promise<void> {
    return this.#host.close();
  }

  #connect(events: HostLinkEvents): HostLink {
    return new HostClient({
      address: this.#options.join,
      credentials: insecureClientCredentials(),
      events: {
        hello: () => events.hello(),
        ended: (error) => events.ended(error),
        command: (command) => {
          events.command(command);
          if (command.welcome) this.#welcomed(command.welcome);
        },
      },
    });
  }

  /** A coordinator that was away when this process wished to leave is told when it is back. */
  #welcomed({ host }: NonNullable<HostCommand__Output['welcome']>): void {
    if (!this.#isMember) this.#options.onWelcome?.(host);
    this.#isMember = true;
    if (this.#options.leaving.aborted) this.#host.leave();
  }

  /** Nobody counts on a host that is no member yet. */
  #leave(): void {
    if (this.#isMember) this.#host.leave();
    else this.#finished.resolve();
  }

  #end(error: LockstepError | null): void {
    if (error === null) this.#finished.resolve();
    else this.#finished.reject(error);
  }
}
