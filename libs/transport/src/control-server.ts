import { Server, type sendUnaryData, type ServerCredentials } from '@grpc/grpc-js';
import { bindAll } from './addresses.ts';
import type { BlockShelf } from './block-shelf.ts';
import { BlockIntake, sendBlock } from './control-blocks.ts';
import { attachMember, type MemberConnection, type MemberPort } from './control-membership.ts';
import { ControlNotes, type OnNote } from './control-notes.ts';
import { controlServerOptions, CoordinatorGrpc, type FetchServerStream, type HostServerStream, type JoinServerStream, type PutServerStream } from './coordinator-service.ts';
import type { BlockReference } from './gen/lockstep/v1/BlockReference.ts';
import type { CoordinatorMessage } from './gen/lockstep/v1/CoordinatorMessage.ts';
import type { HostCommand } from './gen/lockstep/v1/HostCommand.ts';
import type { HostMessage__Output } from './gen/lockstep/v1/HostMessage.ts';
import type { WorkerMessage__Output } from './gen/lockstep/v1/WorkerMessage.ts';

/** One worker's membership stream, seen from the coordinator. */
export type WorkerConnection = MemberConnection<CoordinatorMessage>;
/** One shard host's stream, seen from the coordinator. */
export type HostConnection = MemberConnection<HostCommand>;
export type MembershipPort = MemberPort<WorkerMessage__Output, WorkerConnection>;
export type HostPort = MemberPort<HostMessage__Output, HostConnection>;

export interface ControlServerOptions {
  readonly membership: MembershipPort;
  readonly hosts: HostPort;
  readonly shelf: BlockShelf;
  readonly credentials: ServerCredentials;
  /** A line for the run's log, of a peer that broke the rules and what it lost by that. */
  readonly onNote: OnNote;
}

/** The coordinator's gRPC server: workers' and shard hosts' streams, and data blocks. */
export class ControlServer {
  readonly #server = new Server(controlServerOptions);
  readonly #credentials: ServerCredentials;
  readonly #intake: BlockIntake;

  constructor({ membership, hosts, shelf, credentials, onNote }: ControlServerOptions) {
    const notes = new ControlNotes(onNote);
    this.#credentials = credentials;
    this.#intake = new BlockIntake(shelf, notes);
    this.#server.addService(CoordinatorGrpc.service, {
      join: (stream: JoinServerStream) => attachMember(stream, membership, notes),
      host: (stream: HostServerStream) => attachMember(stream, hosts, notes),
      fetchBlock: (stream: FetchServerStream) => sendBlock(stream, shelf),
      putBlock: (stream: PutServerStream, callback: sendUnaryData<BlockReference>) => this.#intake.take(stream, callback),
    });
  }

  /** The run's token, which a host must present to put a block. */
  set token(token: string) {
    this.#intake.token = token;
  }

  /** Listens on all addresses and gives them back with their ports. */
  async listen(addresses: readonly string[]): Promise<string[]> {
    return bindAll(this.#server, addresses, this.#credentials);
  }

  /** Lets open streams end by themselves for `graceMs`, then cuts them: a peer that hangs would never end its own. */
  async close(graceMs: number): Promise<void> {
    this.#intake.close();
    await new Promise<void>((resolve) => {
      const cut = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }
}
