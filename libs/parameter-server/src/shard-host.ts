import { LockstepError, messageOf } from '@lockstep/core';
import {
  PROTOCOL_VERSION, type HostCommand__Output, type HostLink, type HostLinkEvents, type HostMessage, type StartShardCommand,
} from '@lockstep/transport';
import { HostedShard } from './hosted-shard.ts';
import type { ShardCommand, ShardStart } from './shard-messages.ts';
import { shardPlanSchema, stateLength, type ShardPlan } from './shard-plan.ts';

export interface ShardHostOptions {
  /** What the config's `shardHosts` names. */
  readonly kind: 'coordinator' | 'worker' | 'server';
  readonly hostname: string;
  /** Where a shard listens: a Unix socket first, then `HOST:PORT` (port 0: any). */
  readonly listenOn: (generation: number, shard: number) => readonly string[];
  /** Whether tensors may go through shared memory, where the coordinator allows it too. */
  readonly sharedMemory: boolean;
  readonly connect: (events: HostLinkEvents) => HostLink;
  /** All shards are closed: with null after an orderly end. Called once, never after `close`. */
  readonly onEnd: (error: LockstepError | null) => void;
}

type Welcome = NonNullable<HostCommand__Output['welcome']>;

/** After this a copy that could not be handed over is tried again. */
const PUT_AGAIN_MS = 1000;

/**
 * The shards that one process hosts, a thread each, as its coordinator commands. What the coordinator has not
 * acknowledged is kept and told anew when it comes back; training goes on without it.
 */
export class ShardHost {
  readonly #options: ShardHostOptions;
  readonly #link: HostLink;
  readonly #shards = new Map<string, HostedShard>();
  /** The ends of shards that are hosted no more. */
  readonly #ending = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #welcome: Welcome | null = null;
  #isDelivering = false;
  #deliverAgain: NodeJS.Timeout | null = null;
  #isLeaving = false;
  #isOver = false;

  constructor(options: ShardHostOptions) {
    this.#options = options;
    this.#link = options.connect({
      hello: () => this.#hello(),
      command: (command) => this.#take(command),
      ended: (error) => void this.#end(error),
    });
  }

  /** Asks for an orderly end: shards are moved away, then `onEnd` comes with null. A coordinator that is away is asked when it is back. */
  leave(): void {
    this.#isLeaving = true;
    this.#link.send({ leave: {} });
  }

  /** Ends all shards at once. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#closing.abort(new LockstepError('aborted', 'the shard host was closed'));
    if (this.#deliverAgain !== null) clearTimeout(this.#deliverAgain);
    this.#link.close();
    for (const hosted of this.#shards.values()) this.#endShard(hosted);
    await Promise.all(this.#ending);
  }

  #hello(): HostMessage {
    const { kind, hostname } = this.#options;
    const rehost = this.#welcome === null ? null : {
      runId: this.#welcome.runId,
      host: this.#welcome.host,
      shards: [...this.#shards.values()].map((hosted) => hosted.describe()),
    };
    return { hello: { protocolVersion: PROTOCOL_VERSION, kind, hostname, pid: process.pid, rehost } };
  }

  #take(command: HostCommand__Output): void {
    if (this.#isOver) return;
    if (command.welcome) this.#arrive(command.welcome);
    else if (command.startShard) void this.#start(command.startShard);
    else if (command.peers) this.#toGeneration(command.peers.generation, { kind: 'peers', endpoints: command.peers.shards });
    else if (command.replicate) this.#of(command.replicate)?.command({ kind: 'replicate', to: command.replicate.to });
    else if (command.promote) this.#of(command.promote)?.promote();
    else if (command.drop) this.#drop(command.drop.belowGeneration, command.drop.shardNumbers);
    else if (command.coverage) void this.#tellCoverage(command.coverage.request);
    else if (command.acknowledge) this.#acknowledge(command.acknowledge);
    else if (command.snapshotAt) this.#toAll({ kind: 'snapshot-at', version: command.snapshotAt.version });
    else if (command.refusal) void this.#end(new LockstepError('protocol', `refused by the coordinator: ${command.refusal.reason}`));
    else if (command.finish) void this.#end(null);
  }

  #arrive(welcome: Welcome): void {
    this.#welcome = welcome;
    for (const hosted of this.#shards.values()) hosted.tellAll();
    if (this.#isLeaving) this.#link.send({ leave: {} });
    void this.#deliver();
  }

  /** A shard that is hosted already is replaced. */
  async #start(command: StartShardCommand): Promise<void> {
    const { generation, shard } = command;
    const key = keyOf(command);
    const previous = this.#shards.get(key);
    if (previous !== undefined) this.#endShard(previous);
    const hosted = new HostedShard(generation, shard, command.role === 'replica' ? 'replica' : 'primary', {
      send: (message) => this.#link.send(message),
      copied: () => void this.#deliver(),
      failed: (error) => this.#fail(hosted, error),
    });
    this.#shards.set(key, hosted);
    try {
      // What listens where this one will must have ended.
      await Promise.all(this.#ending);
      hosted.start(await this.#settings(command));
    } catch (error) {
      hosted.fail(error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error), { cause: error }));
    }
  }

  async #settings(command: StartShardCommand): Promise<Parameters<HostedShard['start']>[0]> {
    const { generation, shard } = command;
    if (this.#welcome === null) throw new LockstepError('protocol', `told to host shard ${shard} before being welcome`);
    const { token, failureDetectionMs } = this.#welcome;
    const plan = shardPlanSchema.parse(JSON.parse(command.planJson));
    return {
      plan, generation, token, failureDetectionMs,
      start: await this.#fetchStart(command, plan),
      sharedMemory: this.#options.sharedMemory && command.sharedMemory,
      listenOn: this.#options.listenOn(generation, shard),
    };
  }

  async #fetchStart({ start, startVersion, shard }: StartShardCommand, plan: ShardPlan): Promise<ShardStart | null> {
    if (start === null) return null;
    const block = await this.#link.fetchBlock(start, this.#closing.signal);
    const expectedBytes = stateLength(plan) * 4;
    if (block.byteLength !== expectedBytes) throw new LockstepError('protocol', `the state of shard ${shard} has ${block.byteLength} bytes, expected ${expectedBytes}`);
    return { version: startVersion, state: new Float32Array(block.buffer.slice(block.byteOffset, block.byteOffset + block.byteLength)) };
  }

  #fail(hosted: HostedShard, { code, message, hint = '' }: LockstepError): void {
    const { generation, shard } = hosted;
    if (this.#shards.get(keyOf(hosted)) === hosted) this.#shards.delete(keyOf(hosted));
    this.#endShard(hosted);
    this.#link.send({ shardFailed: { generation, shard, failure: { code, message, hint } } });
  }

  #drop(belowGeneration: number, shards: readonly number[]): void {
    for (const [key, hosted] of this.#shards) {
      const isMeant = hosted.generation < belowGeneration || (hosted.generation === belowGeneration && shards.includes(hosted.shard));
      if (!isMeant) continue;
      this.#shards.delete(key);
      this.#endShard(hosted);
    }
  }

  #endShard(hosted: HostedShard): void {
    const ended = hosted.close().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  async #tellCoverage(request: number): Promise<void> {
    const coverage = await Promise.all([...this.#shards.values()].map((hosted) => hosted.coverage(request)));
    if (!this.#isOver) this.#link.send({ coverage: { request, shards: coverage.filter((part) => part !== null) } });
  }

  #acknowledge({ stepsBefore, snapshotsBefore }: NonNullable<HostCommand__Output['acknowledge']>): void {
    for (const hosted of this.#shards.values()) hosted.acknowledge(stepsBefore, snapshotsBefore);
  }

  /** Hands copies over, one at a time, until there is none left. */
  async #deliver(): Promise<void> {
    if (this.#isDelivering || this.#welcome === null) return;
    this.#isDelivering = true;
    try {
      for (let next = this.#undelivered(); next !== null && !this.#isOver; next = this.#undelivered()) {
        const { hosted, version, state } = next;
        const welcome: Welcome | null = this.#welcome;
        const reference = await this.#link.putBlock([new Uint8Array(state.buffer, state.byteOffset, state.byteLength)], this.#closing.signal);
        // A coordinator that has come (back) meanwhile is to have all copies anew, from the oldest on: what it gets out of order it drops.
        if (this.#welcome === welcome) hosted.deliver(version, reference);
      }
    } catch {
      // The connection broke: the coordinator's next welcome, or the timer, tries again.
      this.#deliverLater();
    } finally {
      this.#isDelivering = false;
    }
  }

  #undelivered(): { readonly hosted: HostedShard; readonly version: number; readonly state: Float32Array } | null {
    for (const hosted of this.#shards.values()) {
      const next = hosted.undelivered;
      if (next !== null) return { hosted, ...next };
    }
    return null;
  }

  #deliverLater(): void {
    if (this.#isOver || this.#deliverAgain !== null) return;
    this.#deliverAgain = setTimeout(() => {
      this.#deliverAgain = null;
      void this.#deliver();
    }, PUT_AGAIN_MS);
  }

  #of(key: ShardKey): HostedShard | undefined {
    return this.#shards.get(keyOf(key));
  }

  #toGeneration(generation: number, command: ShardCommand): void {
    for (const hosted of this.#shards.values()) {
      if (hosted.generation === generation) hosted.command(command);
    }
  }

  #toAll(command: ShardCommand): void {
    for (const hosted of this.#shards.values()) hosted.command(command);
  }

  async #end(error: LockstepError | null): Promise<void> {
    if (this.#isOver) return;
    await this.close();
    this.#options.onEnd(error);
  }
}

interface ShardKey {
  readonly generation: number;
  readonly shard: number;
}

const keyOf = ({ generation, shard }: ShardKey): string => `${generation}/${shard}`;
