import { Worker } from 'node:worker_threads';
import { assertNever, LockstepError } from '@lockstep/core';
import type { BlockReference__Output, FinishedStep, HostedShardMessage, HostMessage, ShardCoverage } from '@lockstep/transport';
import type { ShardCommand, ShardMessage, ShardRole, ShardThreadData } from './shard-messages.ts';

export interface HostedShardEvents {
  /** Something for the coordinator, if it is there. */
  send(message: HostMessage): void;
  /** There is a copy of a primary's state to hand over. */
  copied(): void;
  /** The thread is gone, and not because it was told to. */
  failed(error: LockstepError): void;
}

/** What `HostedShard` hands to its thread. */
export type ThreadSettings = Omit<ShardThreadData, 'role' | 'version'>;

/** The most steps in one message. */
const STEPS_A_MESSAGE = 100;

/** One shard's thread, seen from its host: commands to it, and what it has told until the coordinator has recorded it. */
export class HostedShard {
  readonly generation: number;
  readonly shard: number;
  readonly #version = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  readonly #events: HostedShardEvents;
  readonly #steps = new Map<number, FinishedStep>();
  readonly #copies = new Map<number, Float32Array>();
  readonly #delivered = new Set<number>();
  readonly #coverage = new Map<number, (coverage: ShardCoverage | null) => void>();
  readonly #commands: ShardCommand[] = [];
  #role: ShardRole;
  #thread: Worker | null = null;
  #exited: Promise<void> = Promise.resolve();
  #addresses: readonly string[] = [];
  /** The replica that it was told to keep, or '' where that has broken or there is none. */
  #replicaAddress = '';
  #replicaState: { readonly inSync: boolean; readonly reason: string; readonly replicaAddress: string } | null = null;
  #isOver = false;

  constructor(generation: number, shard: number, role: ShardRole, events: HostedShardEvents) {
    this.generation = generation;
    this.shard = shard;
    this.#role = role;
    this.#events = events;
  }

  /** Starts the thread; commands that came before reach it now. Does nothing once the shard is closed. */
  start(settings: ThreadSettings): void {
    if (this.#isOver) return;
    const data: ShardThreadData = { ...settings, role: this.#startRole(), version: this.#version };
    const thread = new Worker(new URL('./shard-thread.ts', import.meta.url), { workerData: data });
    this.#thread = thread;
    this.#exited = new Promise((resolve) => thread.once('exit', () => resolve()));
    thread.on('message', (message: ShardMessage) => this.#take(message));
    thread.on('error', (error) => this.fail(new LockstepError('protocol', `shard ${this.shard} failed: ${error.message}`, { cause: error })));
    thread.on('exit', () => this.fail(new LockstepError('worker-lost', `the thread of shard ${this.shard} ended`)));
    for (const command of this.#commands.splice(0)) thread.postMessage(command);
  }

  command(command: ShardCommand): void {
    if (command.kind === 'replicate') {
      this.#replicaAddress = command.to?.tcpAddress ?? '';
      this.#replicaState = null;
    }
    if (this.#thread === null) this.#commands.push(command);
    else this.#thread.postMessage(command);
  }

  promote(): void {
    this.command({ kind: 'promote' });
    if (this.#role === 'primary') return;
    this.#role = 'primary';
    this.#sendSteps();
    this.#events.copied();
  }

  /** What a primary's current step lacks; null of others, and where the thread ends before it answers. */
  async coverage(request: number): Promise<ShardCoverage | null> {
    if (this.#role !== 'primary' || this.#thread === null || this.#isOver) return null;
    const { promise, resolve } = Promise.withResolvers<ShardCoverage | null>();
    this.#coverage.set(request, resolve);
    this.command({ kind: 'coverage', request });
    return promise;
  }

  acknowledge(stepsBefore: number, snapshotsBefore: number): void {
    forgetBelow(this.#steps, stepsBefore);
    forgetBelow(this.#copies, snapshotsBefore);
    this.command({ kind: 'acknowledge', stepsBefore, snapshotsBefore });
  }

  /** Tells a coordinator that has come (back) everything that it may not know. */
  tellAll(): void {
    this.#delivered.clear();
    this.#sendReady();
    if (this.#replicaState !== null) this.#send({ replicaState: { ...this.#key(), ...this.#replicaState } });
    this.#sendSteps();
  }

  /** A primary's copy that the coordinator has not been told of since it came. */
  get undelivered(): { readonly version: number; readonly state: Float32Array } | null {
    if (this.#role !== 'primary') return null;
    for (const [version, state] of this.#copies) {
      if (!this.#delivered.has(version)) return { version, state };
    }
    return null;
  }

  /** The copy is put as a block. */
  deliver(version: number, state: BlockReference__Output): void {
    if (!this.#copies.has(version)) return;
    this.#delivered.add(version);
    this.#send({ snapshot: { ...this.#key(), version, state } });
  }

  describe(): HostedShardMessage {
    const [unixAddress = '', tcpAddress = ''] = this.#addresses;
    return { ...this.#key(), role: this.#role, version: Atomics.load(this.#version, 0), unixAddress, tcpAddress, replicaAddress: this.#replicaAddress };
  }

  /** Ends the shard for what happened to it. */
  fail(error: LockstepError): void {
    if (this.#isOver) return;
    void this.close();
    this.#events.failed(error);
  }

  /** Resolves when the thread has ended; it was told nothing more since. */
  async close(): Promise<void> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#thread?.postMessage({ kind: 'close' } satisfies ShardCommand);
      for (const resolve of this.#coverage.values()) resolve(null);
    }
    await this.#exited;
  }

  #take(message: ShardMessage): void {
    if (this.#isOver) return;
    switch (message.kind) {
      case 'listening': return this.#listen(message.addresses);
      case 'finished': return this.#finish(message.steps);
      case 'snapshot': return this.#copy(message.version, message.state);
      case 'copy-dropped': return void this.#copies.delete(message.version);
      case 'coverage': return this.#cover(message);
      case 'replica-state': return this.#tellReplica(message);
      case 'note': return this.#send({ note: { level: message.level, message: message.message } });
      case 'fault': return this.fail(new LockstepError(message.code, message.message, message.hint === undefined ? {} : { hint: message.hint }));
      default: return assertNever(message);
    }
  }

  #listen(addresses: readonly string[]): void {
    this.#addresses = addresses;
    this.#sendReady();
  }

  #finish(steps: readonly FinishedStep[]): void {
    for (const finished of steps) this.#steps.set(finished.step, finished);
    this.#sendSteps(steps);
  }

  #copy(version: number, state: Float32Array): void {
    this.#copies.set(version, state);
    this.#events.copied();
  }

  #cover({ request, version, missing, waitsFor }: Extract<ShardMessage, { kind: 'coverage' }>): void {
    this.#coverage.get(request)?.({ ...this.#key(), version, missingMicroBatches: [...missing], waitsFor });
    this.#coverage.delete(request);
  }

  #tellReplica({ inSync, reason, replicaAddress }: Extract<ShardMessage, { kind: 'replica-state' }>): void {
    // It speaks of a replica that it has been told to let go since.
    if (replicaAddress !== this.#replicaAddress) return;
    if (!inSync) this.#replicaAddress = '';
    this.#replicaState = { inSync, reason, replicaAddress };
    this.#send({ replicaState: { ...this.#key(), ...this.#replicaState } });
  }

  #sendReady(): void {
    if (this.#addresses.length === 0) return;
    const { unixAddress, tcpAddress } = this.describe();
    this.#send({ shardReady: { ...this.#key(), unixAddress, tcpAddress } });
  }

  #sendSteps(steps: readonly FinishedStep[] = [...this.#steps.values()]): void {
    if (this.#role !== 'primary') return;
    for (let first = 0; first < steps.length; first += STEPS_A_MESSAGE) {
      this.#send({ stepsFinished: { ...this.#key(), steps: steps.slice(first, first + STEPS_A_MESSAGE) } });
    }
  }

  #send(message: HostMessage): void {
    this.#events.send(message);
  }

  #key(): { readonly generation: number; readonly shard: number } {
    return { generation: this.generation, shard: this.shard };
  }

  /** A promotion that came before the thread is among its first commands. */
  #startRole(): ShardRole {
    return this.#commands.some(({ kind }) => kind === 'promote') ? 'replica' : this.#role;
  }
}

function forgetBelow<T>(kept: Map<number, T>, limit: number): void {
  for (const key of kept.keys()) {
    if (key < limit) kept.delete(key);
  }
}
