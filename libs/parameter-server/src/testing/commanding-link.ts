import { sha256 } from '@lockstep/core';
import type { BlockReference__Output, HostCommand__Output, HostLink, HostLinkEvents, HostMessage, ShardEndpoint__Output } from '@lockstep/transport';
import type { ShardHost } from '../shard-host.ts';
import type { ShardPlan } from '../shard-plan.ts';
import { TOKEN } from './synthetic-worker.ts';

const DETECTION_MS = 2000;

/** The coordinator's end of a host's link: gives commands, keeps what it is told and handed. */
export class CommandingLink implements HostLink {
  readonly messages: HostMessage[] = [];
  readonly blocks = new Map<string, Uint8Array>();
  /** How many more blocks are refused, as by a connection that breaks. */
  refuseBlocks = 0;
  /** Blocks arrive when this has resolved. */
  gate: Promise<void> = Promise.resolve();
  isConnected = false;
  isClosed = false;
  readonly #events: HostLinkEvents;
  #waiting: { readonly holds: (messages: readonly HostMessage[]) => boolean; readonly resolve: () => void }[] = [];

  constructor(events: HostLinkEvents) {
    this.#events = events;
    setImmediate(() => this.connect());
  }

  connect(): void {
    this.isConnected = true;
    this.send(this.#events.hello());
    this.command({ welcome: { host: 3, runId: 'run', token: TOKEN, failureDetectionMs: DETECTION_MS, reconnectForMs: 300 * DETECTION_MS } });
  }

  disconnect(): void {
    this.isConnected = false;
  }

  /** The coordinator's link is over. */
  end(): void {
    this.#events.ended(null);
  }

  command(command: HostCommand__Output): void {
    this.#events.command(command);
  }

  send(message: HostMessage): void {
    if (!this.isConnected) return;
    this.messages.push(message);
    this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
      if (!holds(this.messages)) return true;
      resolve();
      return false;
    });
  }

  async putBlock(parts: readonly Uint8Array[]): Promise<BlockReference__Output> {
    if (!this.isConnected || this.refuseBlocks > 0) {
      this.refuseBlocks = Math.max(0, this.refuseBlocks - 1);
      throw new Error('the connection broke');
    }
    await this.gate;
    const bytes = Buffer.concat(parts);
    const reference = { sha256: sha256(bytes), numBytes: bytes.byteLength, path: '' };
    this.blocks.set(reference.sha256, bytes);
    return reference;
  }

  fetchBlock(reference: BlockReference__Output): Promise<Buffer> {
    const block = this.blocks.get(reference.sha256);
    return block === undefined ? Promise.reject(new Error(`no block ${reference.sha256}`)) : Promise.resolve(Buffer.from(block));
  }

  close(): void {
    this.isClosed = true;
    this.disconnect();
  }

  /** Resolves when the messages so far satisfy `holds`. */
  async until(holds: (messages: readonly HostMessage[]) => boolean): Promise<void> {
    if (!holds(this.messages)) await new Promise<void>((resolve) => this.#waiting.push({ holds, resolve }));
  }

  /** The first message of a kind that satisfies `holds`, as soon as it is there. */
  async message<K extends keyof HostMessage>(kind: K, holds: (content: NonNullable<HostMessage[K]>) => boolean = () => true): Promise<NonNullable<HostMessage[K]>> {
    const contents = (): NonNullable<HostMessage[K]>[] => this.all(kind).filter(holds);
    await this.until(() => contents().length > 0);
    return contents()[0]!;
  }

  /** All messages of a kind so far. */
  all<K extends keyof HostMessage>(kind: K): NonNullable<HostMessage[K]>[] {
    return this.messages.flatMap((message) => message[kind] ?? []) as NonNullable<HostMessage[K]>[];
  }

  /** Starts a shard and gives its endpoint as soon as it listens. */
  async startShard(plan: ShardPlan, { generation = 0, role = 'primary', start = null, startVersion = 0, sharedMemory = true }: {
    readonly generation?: number; readonly role?: string; readonly start?: BlockReference__Output | null; readonly startVersion?: number; readonly sharedMemory?: boolean;
  } = {}): Promise<ShardEndpoint__Output> {
    const seen = this.messages.length;
    this.command({ startShard: { generation, shard: plan.shard, role, planJson: JSON.stringify(plan), start, startVersion, sharedMemory } });
    const ready = () => this.messages.slice(seen).find(({ shardReady }) => shardReady?.shard === plan.shard && shardReady.generation === generation)?.shardReady;
    const failed = () => this.messages.slice(seen).find(({ shardFailed }) => shardFailed?.shard === plan.shard)?.shardFailed?.failure;
    await this.until(() => ready() !== undefined || failed() !== undefined);
    if (failed() !== undefined) throw new Error(failed()?.message);
    const { unixAddress = '', tcpAddress = '' } = ready()!;
    return { unixAddress, tcpAddress, from: plan.range.from, to: plan.range.to };
  }
}

/** A host and the other end of its link. */
export interface Commanded {
  readonly host: ShardHost;
  readonly link: CommandingLink;
}
