import type { ErrorCode, LockstepError } from '@lockstep/core';
import { PROTOCOL_VERSION, type HostCommand, type HostConnection, type HostedShardMessage, type HostMessage__Output, type HostPort } from '@lockstep/transport';

export type HostKind = 'coordinator' | 'worker' | 'server';

/** A process that hosts shards. */
export interface Host {
  readonly host: number;
  readonly kind: HostKind;
  readonly hostname: string;
  readonly pid: number;
  /** It wants to end, and goes on until its shards are elsewhere. */
  readonly isLeaving: boolean;
}

export interface HostRegistryOptions {
  readonly runId: string;
  readonly token: string;
  /** The next number to give; numbers are never given twice. */
  readonly nextHost: number;
  readonly failureDetectionMs: number;
  /** A number was given for the first time. */
  readonly onNumber: (host: Host) => void;
  /** The host is there, with what it still hosts of this run. */
  readonly onPresent: (host: Host, shards: readonly HostedShardMessage[]) => void;
  readonly onMessage: (host: Host, message: HostMessage__Output) => void;
  readonly onLeaving: (host: Host) => void;
  /** Its connection broke; or it says nothing, and may well live. */
  readonly onLost: (host: Host, reason: string, how: 'broken' | 'silent') => void;
}

interface Member {
  host: Host;
  readonly connection: HostConnection;
  lastHeardMs: number;
}

const KINDS: readonly string[] = ['coordinator', 'worker', 'server'] satisfies readonly HostKind[];

/** The processes that host shards: who is there and alive. What they host is the fleet's. */
export class HostRegistry implements HostPort {
  readonly #options: HostRegistryOptions;
  readonly #members = new Map<number, Member>();
  readonly #numbers = new Map<HostConnection, number>();
  readonly #watch: NodeJS.Timeout;
  /** What whoever still comes is told once the run has ended. */
  #farewell: HostCommand | null = null;
  #nextHost: number;
  #lastBeatMs = performance.now();

  constructor(options: HostRegistryOptions) {
    this.#options = options;
    this.#nextHost = options.nextHost;
    this.#watch = setInterval(() => this.#beat(), options.failureDetectionMs / 4);
  }

  /** All that are there, in the order of their numbers. */
  get hosts(): readonly Host[] {
    return [...this.#members.values()].map(({ host }) => host).toSorted((a, b) => a.host - b.host);
  }

  get(host: number): Host | undefined {
    return this.#members.get(host)?.host;
  }

  /** Where the host's connection comes from: `IP:PORT`, `unix` or `in-process`. */
  peerOf(host: number): string {
    return this.#members.get(host)?.connection.peer ?? '';
  }

  send(host: number, command: HostCommand): void {
    this.#members.get(host)?.connection.send(command);
  }

  broadcast(command: HostCommand): void {
    for (const { connection } of this.#members.values()) connection.send(command);
  }

  /** Lets one host go that wanted to leave. */
  release(host: number): void {
    const member = this.#members.get(host);
    if (member === undefined) return;
    this.#forget(member);
    member.connection.send({ finish: {} });
    member.connection.end();
  }

  end(error: LockstepError | null): void {
    clearInterval(this.#watch);
    this.#farewell = error === null ? { finish: {} } : { refusal: { code: error.code, reason: error.message } };
    for (const member of [...this.#members.values()]) {
      this.#forget(member);
      dismiss(member.connection, this.#farewell);
    }
  }

  message(connection: HostConnection, message: HostMessage__Output): void {
    const member = this.#members.get(this.#numbers.get(connection) ?? -1);
    if (member !== undefined) member.lastHeardMs = performance.now();
    if (message.hello) this.#admit(connection, message.hello);
    else if (member === undefined) refuse(connection, 'protocol', 'a host must say hello first');
    else if (message.leave) this.#leave(member);
    else if (!message.heartbeat) this.#options.onMessage(member.host, message);
  }

  ended(connection: HostConnection): void {
    const member = this.#members.get(this.#numbers.get(connection) ?? -1);
    if (member !== undefined) this.#lose(member, 'its connection broke');
  }

  #admit(connection: HostConnection, { protocolVersion, kind, hostname, pid, rehost }: NonNullable<HostMessage__Output['hello']>): void {
    const { runId, token, failureDetectionMs } = this.#options;
    if (this.#farewell !== null) return dismiss(connection, this.#farewell);
    if (protocolVersion !== PROTOCOL_VERSION) return refuse(connection, 'protocol', `it speaks version ${protocolVersion} of the protocol, expected ${PROTOCOL_VERSION}`);
    if (this.#numbers.has(connection)) return refuse(connection, 'protocol', 'it said hello before');
    if (!KINDS.includes(kind)) return refuse(connection, 'protocol', `it is a host of kind "${kind}", expected one of ${KINDS.join(', ')}`);
    if (kind === 'coordinator' && connection.peer !== 'in-process') return refuse(connection, 'protocol', 'it claims to be the coordinator');
    if (rehost !== null && rehost.runId !== runId) return refuse(connection, 'usage', 'it belongs to another run than the one that is coordinated here now');
    if (rehost !== null && rehost.host >= this.#nextHost) return refuse(connection, 'protocol', `host number ${rehost.host} was never given`);
    const number = rehost?.host ?? this.#nextHost;
    const before = this.#members.get(number);
    // What went to the old connection last may not have arrived.
    if (before !== undefined) this.#lose(before, 'it has connected anew');
    const host: Host = { host: number, kind: kind as HostKind, hostname, pid, isLeaving: false };
    this.#members.set(number, { host, connection, lastHeardMs: performance.now() });
    this.#numbers.set(connection, number);
    if (rehost === null) {
      this.#nextHost += 1;
      this.#options.onNumber(host);
    }
    connection.send({ welcome: { host: number, runId, token, failureDetectionMs, reconnectForMs: 300 * failureDetectionMs } });
    this.#options.onPresent(host, rehost?.shards ?? []);
  }

  #leave(member: Member): void {
    if (member.host.isLeaving) return;
    member.host = { ...member.host, isLeaving: true };
    this.#options.onLeaving(member.host);
  }

  #beat(): void {
    this.broadcast({ heartbeat: {} });
    const nowMs = performance.now();
    const sinceBeatMs = nowMs - this.#lastBeatMs;
    this.#lastBeatMs = nowMs;
    // After a stall of this process the hosts' messages are there but not read yet.
    if (sinceBeatMs > this.#options.failureDetectionMs / 2) return;
    for (const member of [...this.#members.values()]) {
      const silentMs = nowMs - member.lastHeardMs;
      if (member.host.kind === 'coordinator' || silentMs <= this.#options.failureDetectionMs) continue;
      this.#lose(member, `silent for ${(silentMs / 1000).toFixed(1)} s`, 'silent');
    }
  }

  #lose(member: Member, reason: string, how: 'broken' | 'silent' = 'broken'): void {
    this.#forget(member);
    member.connection.end();
    this.#options.onLost(member.host, reason, how);
  }

  #forget({ host, connection }: Member): void {
    this.#members.delete(host.host);
    this.#numbers.delete(connection);
  }
}

export function describeHost({ host, kind, hostname, pid }: Host): string {
  switch (kind) {
    case 'coordinator': return 'the coordinator';
    case 'worker': return `shard host ${host} (a worker of ${hostname}, process ${pid})`;
    case 'server': return `parameter server ${host} (${hostname}, process ${pid})`;
  }
}

function refuse(connection: HostConnection, code: ErrorCode, reason: string): void {
  dismiss(connection, { refusal: { code, reason } });
}

function dismiss(connection: HostConnection, farewell: HostCommand): void {
  connection.send(farewell);
  connection.end();
}
