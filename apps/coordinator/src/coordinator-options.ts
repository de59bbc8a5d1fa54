import type { ConfigBundle, RunConfig } from '@lockstep/core';
import type { RunDirectory } from '@lockstep/checkpoint';
import type { RunEventSink } from '@lockstep/telemetry';

export interface CoordinatorOptions {
  readonly config: RunConfig;
  /** The config file's model function, or null for a model of the zoo. */
  readonly bundle: ConfigBundle | null;
  readonly directory: RunDirectory;
  /** Go on with what the directory's journal and checkpoints hold. */
  readonly resume: boolean;
  /** The run starts when so many have joined. */
  readonly minWorkers: number;
  /** And so many parameter servers, where these host shards. */
  readonly minServers: number;
  /** `HOST:PORT`; port 0 lets the system choose. */
  readonly listen: string;
  /** Allow `listen` beyond this machine, unencrypted. */
  readonly insecure: boolean;
  /** Whether tensors may go through shared memory. */
  readonly sharedMemory: boolean;
  /** What a person or a program sees. */
  readonly sink: RunEventSink;
  readonly signal: AbortSignal;
  /** Workers can join now: at the Unix socket on this machine, else at the TCP address. */
  readonly onListening: (addresses: { readonly unix: string; readonly tcp: string }) => void;
}
