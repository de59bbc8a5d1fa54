import { assertNever, LockstepError } from '@lockstep/core';
import {
  blankHeader, ChunkAssembly, encodeFrame, ExchangeServer, framesOf, framesOfParts, nearestAddress,
  type FinishedStep, type PeerConnection, type PeerHello, type PeerReceiver, type ShardEndpoint__Output, type StreamEnd,
} from '@lockstep/transport';
import { NORM_BLOCK } from '@lockstep/reduction';
import { LimitedNotes } from './limited-notes.ts';
import { framesOfNorms, NormExchange, takeNorms } from './norm-exchange.ts';
import { ReplicaFeed } from './replica-feed.ts';
import { ReplicaLink } from './replica-link.ts';
import type { ShardCommand, ShardMessage, ShardRole, ShardSettings } from './shard-messages.ts';
import { stateLength, trainableIn, wantsSnapshot } from './shard-plan.ts';
import { Shard } from './shard.ts';
import { StepReports } from './step-reports.ts';

/** Copies of the state that may wait to be recorded before the shard waits with them. */
const MAX_COPIES = 8;

/** What a replica says to its former primary. */
const TAKEN_OVER = 'the replica has taken over';

/** A version that is complete and not yet given out. */
interface Pending {
  readonly version: number;
  readonly finished: FinishedStep | null;
}

export type Tell = (message: ShardMessage, transfer?: readonly ArrayBuffer[]) => void;

/**
 * A shard behind its streams, as primary or replica:
 * root covered → norms to and from the other shards → gradient to the replica → update → confirmed → published.
 */
export class ShardService {
  readonly #settings: ShardSettings;
  readonly #tell: Tell;
  readonly #shard: Shard;
  readonly #server: ExchangeServer;
  readonly #norms: NormExchange;
  readonly #reports: StepReports;
  readonly #notes: LimitedNotes;
  #role: ShardRole;
  #pending: Pending | null = null;
  /** The version that workers have (a replica: that it has confirmed), -1 before the first. */
  #given = -1;
  #replica: ReplicaLink | null = null;
  #replicaAddress = '';
  /** The version at which the replica was sent the state, or null before. */
  #attachedAt: number | null = null;
  #replicaInSync = false;
  /** A former replica is the primary now: nothing is given out here any more. */
  #isRetired = false;
  #primary: PeerConnection | null = null;
  /** Not yet acknowledged. */
  readonly #finished = new Map<number, FinishedStep>();
  #copies: number[] = [];
  readonly #copyAt = new Set<number>();

  constructor(settings: ShardSettings, tell: Tell) {
    const { plan, generation, token } = settings;
    this.#settings = settings;
    this.#tell = tell;
    this.#role = settings.role;
    this.#reports = new StepReports((steps) => tell({ kind: 'finished', steps }));
    this.#notes = new LimitedNotes((message) => tell({ kind: 'note', level: 'warn', message: `shard ${plan.shard}: ${message}` }));
    this.#shard = new Shard(plan, {
      normsReady: (step, blockSums) => this.#norms.offer({ step, blockSums }),
      wantsGradient: () => this.#attachedAt !== null,
      stepReduced: (finished, gradient) => this.#sendToReplica(finished, gradient),
      pieceMade: (version, numBytes) => this.#showPiece(version, numBytes),
      versionReady: (version, finished) => {
        this.#pending = { version, finished };
        this.#giveOut();
      },
    });
    this.#norms = new NormExchange(plan, { generation, shard: plan.shard, token }, (factor) => this.#shard.clip(factor));
    this.#server = new ExchangeServer(this.#shard, { accept: (hello, connection) => this.#acceptPeer(hello, connection) }, {
      token,
      sharedMemory: settings.sharedMemory,
      serving: settings.role === 'primary',
      failureDetectionMs: settings.failureDetectionMs,
      onStreamEnd: (end) => this.#noteFault(end),
    });
    Atomics.store(settings.version, 0, -1);
    if (settings.start !== null) this.#shard.restore(settings.start.version, settings.start.state);
  }

  /** The version that is given out, -1 before the first. */
  get version(): number {
    return this.#given;
  }

  listen(addresses: readonly string[]): Promise<string[]> {
    return this.#server.listen(addresses);
  }

  take(command: Exclude<ShardCommand, { readonly kind: 'close' }>): void {
    switch (command.kind) {
      case 'peers': return this.#norms.connect(command.endpoints);
      case 'replicate': return this.#replicateTo(command.to);
      case 'promote': return this.#promote();
      case 'coverage': return this.#tellCoverage(command.request);
      case 'acknowledge': return this.#forget(command);
      case 'snapshot-at': return this.#copyVersion(command.version);
      default: return assertNever(command);
    }
  }

  async close(): Promise<void> {
    this.#reports.flush();
    this.#norms.close();
    this.#replica?.close();
    await this.#server.close();
  }

  /** What is made of a version goes out at once, but for its last piece, which goes with the whole. */
  #showPiece(version: number, numBytes: number): void {
    if (numBytes === this.#shard.shown.bytes.length || this.#role !== 'primary' || this.#isRetired || this.#attachedAt !== null) return;
    const lacksRoom = this.#copies.length >= MAX_COPIES && this.#wantsCopyOf(version);
    if (!lacksRoom) this.#server.show(version, this.#shard.shown.bytes, numBytes);
  }

  /** Gives the pending version out as soon as it is safe with the replica and there is room for its copy. */
  #giveOut(): void {
    const pending = this.#pending;
    if (pending === null || this.#isRetired) return;
    if (this.#isUnconfirmed(pending)) return;
    const copies = this.#wantsCopy(pending);
    // A replica's copies are as many as its primary's, which waits for both.
    if (copies && this.#copies.length >= MAX_COPIES && !this.#dropOldCopy() && this.#role === 'primary') return;
    this.#pending = null;
    this.#given = pending.version;
    Atomics.store(this.#settings.version, 0, pending.version);
    if (this.#role === 'primary') this.#server.publish(pending.version, this.#shard.shown.bytes);
    else this.#primary?.send(encodeFrame({ ...blankHeader, kind: 'ack', step: pending.version }));
    if (pending.finished !== null) this.#report(pending.finished);
    if (copies) this.#copyState(pending.version);
    this.#attachReplica();
  }

  /** The state that a primary starts from is recorded already; one that a replica was sent may not be. */
  #wantsCopy({ version, finished }: Pending): boolean {
    return !this.#copies.includes(version) && (finished !== null || this.#role === 'replica') && this.#wantsCopyOf(version);
  }

  #wantsCopyOf(version: number): boolean {
    const { plan } = this.#settings;
    return wantsSnapshot(plan, version) || this.#copyAt.has(version) || (plan.checkpointEvery !== null && version % plan.checkpointEvery === 0);
  }

  /** While nobody takes copies, the oldest that is for a checkpoint alone makes way: a newer one is better. */
  #dropOldCopy(): boolean {
    const oldest = this.#copies.find((version) => !wantsSnapshot(this.#settings.plan, version));
    if (oldest === undefined) return false;
    this.#copies = this.#copies.filter((version) => version !== oldest);
    this.#tell({ kind: 'copy-dropped', version: oldest });
    return true;
  }

  #report(finished: FinishedStep): void {
    if (this.#finished.has(finished.step)) return;
    this.#finished.set(finished.step, finished);
    this.#reports.add(finished);
  }

  #copyState(version: number): void {
    this.#reports.flush();
    this.#copyAt.delete(version);
    this.#copies.push(version);
    const state = this.#shard.copyState();
    this.#tell({ kind: 'snapshot', version, state }, [state.buffer]);
  }

  #copyVersion(version: number): void {
    if (version > this.version) this.#copyAt.add(version);
    else if (version === this.version && this.#pending === null && this.#shard.isWhole && !this.#copies.includes(version)) this.#copyState(version);
    else if (this.#role === 'primary') this.#notes.add(`asked for a copy of version ${version}, it is at version ${this.version}`);
  }

  #forget({ stepsBefore, snapshotsBefore }: Extract<ShardCommand, { readonly kind: 'acknowledge' }>): void {
    for (const step of this.#finished.keys()) {
      if (step < stepsBefore) this.#finished.delete(step);
    }
    this.#copies = this.#copies.filter((version) => version >= snapshotsBefore);
    this.#giveOut();
    this.#tellInSync();
  }

  #tellCoverage(request: number): void {
    const coverage = this.#pending === null ? this.#shard.coverage() : { version: this.version, missing: [] };
    this.#tell({ kind: 'coverage', request, ...coverage, waitsFor: coverage.missing.length > 0 ? '' : this.#explainWait() });
  }

  /** What a step waits for that lacks no micro-batch. */
  #explainWait(): string {
    if (this.#isRetired) return TAKEN_OVER;
    if (this.#shard.version === -1) return 'the initial parameters';
    if (this.#pending === null) return `the gradient norms of shards ${this.#norms.awaited.join(', ')}`;
    if (this.#isUnconfirmed(this.#pending)) return `its replica at ${this.#replicaAddress} to have version ${this.#pending.version}`;
    return `its copies of versions ${this.#copies.join(', ')} to be recorded`;
  }

  #isUnconfirmed({ version }: Pending): boolean {
    return this.#attachedAt !== null && this.#replica !== null && this.#replica.confirmed < version;
  }

  #replicateTo(to: ShardEndpoint__Output | null): void {
    this.#dropReplica();
    if (to !== null && this.#role === 'primary') this.#connectReplica(to);
    // A version that waited for the former replica waits for nobody now.
    this.#giveOut();
  }

  #connectReplica(to: ShardEndpoint__Output): void {
    const { plan, generation, token, failureDetectionMs } = this.#settings;
    this.#replicaAddress = to.tcpAddress;
    this.#replica = new ReplicaLink({
      address: nearestAddress(to),
      identity: { generation, shard: plan.shard, token },
      failureDetectionMs,
      onOpen: () => this.#attachReplica(),
      onConfirmed: () => {
        this.#giveOut();
        this.#tellInSync();
      },
      onBroken: (error) => {
        this.#dropReplica();
        // Two primaries at once could part, one ahead of the other: the older one ends its part here.
        if (error.message.includes(TAKEN_OVER)) return this.#retire();
        this.#tell({ kind: 'replica-state', inSync: false, reason: error.message, replicaAddress: to.tcpAddress });
        this.#giveOut();
      },
    });
  }

  #dropReplica(): void {
    this.#replica?.close();
    this.#replica = null;
    this.#attachedAt = null;
    this.#replicaInSync = false;
  }

  /** Sends a replica that is there all that it must know, once there is a state to send. */
  #attachReplica(): void {
    const replica = this.#replica;
    const { version } = this.#shard;
    // In the middle of a step there is no state to send: its end is the next occasion.
    if (replica === null || !replica.isOpen || this.#attachedAt !== null || version === -1 || !this.#shard.isWhole) return;
    this.#attachedAt = version;
    replica.send(version, [
      ...[...this.#finished.values()].map(frameOfStep),
      ...(this.#pending?.finished ? [frameOfStep(this.#pending.finished)] : []),
      ...this.#norms.own.flatMap(framesOfNorms),
      ...framesOf('state', { step: version }, this.#shard.copyState()),
    ]);
  }

  #sendToReplica(finished: FinishedStep, gradient: readonly Float32Array[] | null): void {
    if (this.#replica === null || this.#attachedAt === null) return;
    const norms = this.#norms.own.filter(({ step }) => step === finished.step).flatMap(framesOfNorms);
    const floats = gradient === null ? [] : framesOfParts('gradient', { step: finished.step }, gradient);
    this.#replica.send(finished.step + 1, [...norms, frameOfStep(finished), ...floats]);
  }

  /** In sync is a replica that could take over without a loss: it holds the version, and no earlier copy is at stake. */
  #tellInSync(): void {
    const attachedAt = this.#attachedAt;
    if (this.#replicaInSync || this.#replica === null || attachedAt === null) return;
    if (this.#replica.confirmed < attachedAt || this.#copies.some((version) => version <= attachedAt)) return;
    this.#replicaInSync = true;
    this.#tell({ kind: 'replica-state', inSync: true, reason: '', replicaAddress: this.#replicaAddress });
  }

  #retire(): void {
    this.#isRetired = true;
    this.#tell({ kind: 'note', level: 'info', message: `shard ${this.#settings.plan.shard}: ${TAKEN_OVER}` });
  }

  #promote(): void {
    if (this.#role === 'primary') return;
    this.#role = 'primary';
    this.#primary?.refuse(TAKEN_OVER);
    this.#primary = null;
    if (this.#given !== -1) this.#server.publish(this.#given, this.#shard.shown.bytes);
    this.#server.serve();
    this.#norms.repeat();
    this.#giveOut();
  }

  #acceptPeer(hello: PeerHello, connection: PeerConnection): PeerReceiver {
    const { plan, generation } = this.#settings;
    if (hello.generation !== generation) throw new LockstepError('protocol', `a shard of generation ${hello.generation}, this one is of ${generation}`);
    if (hello.role === 'norms') return this.#norms.receiver(hello.shard, () => this.#shard.version);
    if (this.#role === 'primary' || hello.shard !== plan.shard) throw new LockstepError('protocol', `a primary of shard ${hello.shard}, this is ${this.#role} of shard ${plan.shard}`);
    this.#primary?.refuse('another primary has come');
    this.#primary = connection;
    return this.#feed(connection);
  }

  #feed(connection: PeerConnection): ReplicaFeed {
    const { plan } = this.#settings;
    const normAssembly = new ChunkAssembly();
    const blocks = Math.ceil(trainableIn(plan) / NORM_BLOCK);
    return new ReplicaFeed({
      length: this.#shard.length,
      stateLength: stateLength(plan),
      history: (finished) => this.#report(finished),
      state: (version, state) => this.#shard.restore(version, state),
      norms: (frame) => takeNorms(normAssembly, frame, blocks, (norms) => this.#norms.keep(norms)),
      reserveGradient: () => this.#shard.reserveGradient(),
      abandonGradient: (gradient) => this.#shard.abandonInitial(gradient),
      step: (finished, gradient) => {
        if (finished.step !== this.#shard.version) throw new LockstepError('protocol', `a primary sent step ${finished.step}, the replica has version ${this.#shard.version}`);
        this.#shard.applyGradient(finished, gradient);
      },
      ended: () => {
        normAssembly.abandon();
        if (this.#primary === connection) this.#primary = null;
      },
    });
  }

  #noteFault({ peer, rank, fault }: StreamEnd): void {
    if (fault === null) return;
    this.#notes.add(`ended the stream of ${rank === null ? peer : `worker ${rank} (${peer})`}: ${fault.message}`);
  }
}

function frameOfStep(finished: FinishedStep): Buffer {
  return encodeFrame({ ...blankHeader, kind: 'finished', step: finished.step }, Buffer.from(JSON.stringify(finished)));
}
