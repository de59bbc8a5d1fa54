import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LockstepError } from '@lockstep/core';
import { BlockShelf } from '../block-shelf.ts';
import { ControlClient } from '../control-client.ts';
import { ControlServer, type HostConnection, type WorkerConnection } from '../control-server.ts';
import { insecureClientCredentials, insecureServerCredentials } from '../credentials.ts';
import type { CoordinatorMessage__Output } from '../gen/lockstep/v1/CoordinatorMessage.ts';
import type { HostMessage__Output } from '../gen/lockstep/v1/HostMessage.ts';
import type { WorkerMessage__Output } from '../gen/lockstep/v1/WorkerMessage.ts';
import { Journal } from './journal.ts';

export interface Member {
  readonly client: ControlClient;
  readonly messages: Journal<CoordinatorMessage__Output>;
  readonly breaks: Journal<LockstepError>;
  readonly ends: Journal<LockstepError | null>;
}

interface Said<Connection, Message> {
  readonly connection: Connection;
  readonly message: Message;
}

/** Says when a block begins to be read and when it is let go. */
class WatchedShelf extends BlockShelf {
  readonly reads = new Journal<'began' | 'ended'>();

  override async *read(hash: string): AsyncGenerator<Uint8Array> {
    this.reads.add('began');
    try {
      yield* super.read(hash);
    } finally {
      this.reads.add('ended');
    }
  }
}

export const TOKEN = 'token of the run';
export const HOST_WELCOME = { host: 4, runId: 'run', token: TOKEN, failureDetectionMs: 60_000, reconnectForMs: 60_000 };

/** A control server that writes down what it is told and welcomes whoever says hello, on a Unix socket and a TCP port; it can be stopped and come back. */
export class Control implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'control-spec-'));
  readonly shelf = new WatchedShelf();
  readonly messages = new Journal<Said<WorkerConnection, WorkerMessage__Output>>();
  readonly ended = new Journal<WorkerConnection>();
  readonly hostMessages = new Journal<Said<HostConnection, HostMessage__Output>>();
  readonly hostsEnded = new Journal<HostConnection>();
  readonly notes = new Journal<string>();
  readonly #clients: ControlClient[] = [];
  #server = this.#build();
  addresses: readonly string[] = [`unix:${join(this.directory, 'c.sock')}`, '127.0.0.1:0'];

  static async start(): Promise<Control> {
    const control = new Control();
    await control.listen();
    return control;
  }

  get server(): ControlServer {
    return this.#server;
  }

  get hostPort() {
    return {
      message: (connection: HostConnection, message: HostMessage__Output) => {
        if (message.shardFailed) throw new Error('not in the expected form');
        this.hostMessages.add({ connection, message });
        if (message.hello) connection.send({ welcome: HOST_WELCOME });
      },
      ended: (connection: HostConnection) => this.hostsEnded.add(connection),
    };
  }

  async listen(): Promise<void> {
    this.addresses = await this.#server.listen(this.addresses);
  }

  /** As if the process were killed: everything breaks at once. */
  async stop(): Promise<void> {
    await this.#server.close(0);
  }

  /** A new server at the same addresses. */
  async comeBack(): Promise<void> {
    this.#server = this.#build();
    await this.listen();
  }

  join(address = this.addresses[0]!): Member {
    const member = { messages: new Journal<CoordinatorMessage__Output>(), breaks: new Journal<LockstepError>(), ends: new Journal<LockstepError | null>() };
    const client = new ControlClient({
      address, credentials: insecureClientCredentials(),
      hello: () => ({ hello: { protocolVersion: 2, capabilities: { hostname: 'a' } } }),
      onMessage: (message) => member.messages.add(message),
      onBroken: (error) => member.breaks.add(error),
      onEnd: (error) => member.ends.add(error),
    });
    this.#clients.push(client);
    return { client, ...member };
  }

  /** A member that has been welcomed. */
  async joined(address?: string): Promise<Member & { readonly connection: WorkerConnection }> {
    const before = this.messages.entries.length;
    const member = this.join(address);
    await member.messages.atLeast(1);
    const { connection } = this.messages.entries.slice(before).find(({ message }) => message.hello)!;
    return { ...member, connection };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.#server.close(0);
    rmSync(this.directory, { recursive: true, force: true });
  }

  #build(): ControlServer {
    const server = new ControlServer({
      membership: {
        message: (connection, message) => {
          if (message.failure) throw new Error(message.failure.message);
          this.messages.add({ connection, message });
          if (message.hello) connection.send({ welcome: { rank: 3, runId: 'run' } });
        },
        ended: (connection) => this.ended.add(connection),
      },
      hosts: this.hostPort,
      shelf: this.shelf,
      credentials: insecureServerCredentials(),
      onNote: (_level, message) => this.notes.add(message),
    });
    server.token = TOKEN;
    return server;
  }
}
