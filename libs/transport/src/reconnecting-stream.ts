import type { ChannelCredentials, ClientDuplexStream } from '@grpc/grpc-js';
import { LockstepError, messageOf } from '@lockstep/core';
import { Backoff } from '@lockstep/scheduling';
import { ReconnectingConnection } from './reconnecting-connection.ts';
import { isBrokenConnection } from './grpc-errors.ts';
import { errorOfRefusal, type Verdict } from './reconnecting-verdict.ts';
import type { CoordinatorClient } from './gen/lockstep/v1/Coordinator.ts';

/** Until the failure-detection time is known, a coordinator that says nothing for so long is not there. */
const FIRST_PATIENCE_MS = 10_000;
const LEAST_PATIENCE_MS = 1_000;
const RETRY_CALL_MS = 100;
/** Reconnecting is tried for so many times the failure-detection time. */
const RECONNECT_FOR = 300;
const FIRST_RECONNECT_FOR_MS = 60_000;
/** A coordinator that starts, or starts again, is there within this time. */
const FIRST_CONNECT_FOR_MS = 15_000;

/** While something else attests that both sides live, one heartbeat in so many is sent, to find out that the other side has begun anew. */
const SPARSE = 16;

export interface HeartbeatOptions<Sent> {
  /** A longer silence is a broken connection; heartbeats are sent four times as often. */
  readonly failureDetectionMs: number;
  readonly heartbeat: () => Sent;
  /** When something other than this stream last showed that both sides live, on the clock of `performance.now()`. */
  readonly attestedMs?: () => number;
  /** How long it is tried to connect again. */
  readonly reconnectForMs?: number;
}

export interface ReconnectingStreamOptions<Sent, Received> {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** Begins the call on a channel that was made for it. */
  readonly open: (client: CoordinatorClient) => ClientDuplexStream<Sent, Received>;
  /** The first message of every connection. */
  readonly hello: () => Sent;
  readonly onMessage: (message: Received) => void;
  /**
   * The connection broke or fell silent after it was welcomed, or the first could not be made; it is being made again.
   * Told once, however long that takes. What is sent meanwhile is dropped.
   */
  readonly onBroken: (error: LockstepError) => void;
  /** It is over for good: finished, refused, never welcomed, or not back in time. Called once, never after `close`. */
  readonly onEnd: (error: LockstepError | null) => void;
}

/** A membership stream that outlives its connections. */
export class ReconnectingStream<Sent, Received extends Verdict> {
  readonly peer: string;
  readonly #options: ReconnectingStreamOptions<Sent, Received>;
  readonly #beganMs = performance.now();
  readonly #backoff = new Backoff();
  #connection: ReconnectingConnection<Sent, Received> | null = null;
  #changed = Promise.withResolvers<void>();
  #wasWelcomed = false;
  /** The first connection could not be made at once. */
  #isLate = false;
  #brokenSinceMs = 0;
  #failureDetectionMs: number | null = null;
  #reconnectForMs = FIRST_RECONNECT_FOR_MS;
  #heartbeat: (() => Sent) | null = null;
  #heartbeats: NodeJS.Timeout | null = null;
  #lastBeatMs = 0;
  /** Heartbeats in a row that something else stood for. */
  #attestedBeats = 0;
  #retry: NodeJS.Timeout | null = null;
  #over: LockstepError | null = null;

  constructor(options: ReconnectingStreamOptions<Sent, Received>) {
    this.#options = options;
    this.peer = `coordinator at ${options.address}`;
    queueMicrotask(() => this.#connect());
  }

  send(message: Sent): void {
    this.#connection?.send(message);
  }

  /** From now on says regularly that one is alive, and takes silence for a broken connection. */
  startHeartbeats(options: HeartbeatOptions<Sent>): void {
    this.stopHeartbeats();
    if (this.#over !== null) return;
    const { failureDetectionMs, reconnectForMs = RECONNECT_FOR * failureDetectionMs } = options;
    this.#failureDetectionMs = failureDetectionMs;
    this.#reconnectForMs = reconnectForMs;
    this.#lastBeatMs = performance.now();
    this.#heartbeat = options.heartbeat;
    this.#heartbeats = setInterval(() => this.#beat(options), failureDetectionMs / 4);
  }

  stopHeartbeats(): void {
    if (this.#heartbeats !== null) clearInterval(this.#heartbeats);
    this.#heartbeats = null;
  }

  /** Makes a call on the connection that stands, and again on the next one as often as it breaks. */
  async retrying<T>(signal: AbortSignal, call: (client: CoordinatorClient, signal: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      const connection = await this.#connected(signal);
      const ended = connection.ended;
      try {
        return await call(connection.client, AbortSignal.any([signal, ended]));
      } catch (error) {
        signal.throwIfAborted();
        if (this.#over !== null) throw this.#over;
        if (!ended.aborted && !isBrokenConnection(error)) throw error;
        await this.#changedOrLater(signal);
      }
    }
  }

  /** Makes a call on the connection that stands; rejects when it breaks. */
  async once<T>(signal: AbortSignal, call: (client: CoordinatorClient, signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#over !== null) throw this.#over;
    if (this.#connection === null) throw new LockstepError('connection', `${this.peer}: not connected`);
    const { client, ended } = this.#connection;
    return call(client, AbortSignal.any([signal, ended]));
  }

  close(): void {
    this.#finish(new LockstepError('aborted', `the connection to the ${this.peer} was closed`));
  }

  #connect(): void {
    if (this.#over !== null) return;
    const { address, credentials, open, hello } = this.#options;
    const connection: ReconnectingConnection<Sent, Received> = new ReconnectingConnection({
      address, credentials, open,
      peer: this.peer,
      patienceMs: this.#failureDetectionMs === null ? FIRST_PATIENCE_MS : Math.max(LEAST_PATIENCE_MS, this.#failureDetectionMs),
      onMessage: (message) => this.#take(connection, message),
      onBroken: (error) => this.#break(connection, error),
    });
    this.#connection = connection;
    connection.send(hello());
    this.#change();
  }

  #take(connection: ReconnectingConnection<Sent, Received>, message: Received): void {
    if (this.#connection !== connection) return;
    if (message.welcome) {
      if (!connection.isWelcomed) this.#backoff.opened(performance.now());
      connection.isWelcomed = true;
      this.#wasWelcomed = true;
    }
    // Whoever asks does not see what else stands for this side's heartbeats.
    if (message.heartbeat && this.#attestedBeats > 0 && this.#heartbeat !== null) connection.send(this.#heartbeat());
    try {
      this.#options.onMessage(message);
    } catch (error) {
      return this.#end(error instanceof LockstepError ? error : new LockstepError('protocol', `${this.peer}: ${messageOf(error)}`, { cause: error }));
    }
    if (message.finish) this.#end(null);
    else if (message.refusal) this.#end(errorOfRefusal(message.refusal));
  }

  #break(connection: ReconnectingConnection<Sent, Received>, error: LockstepError): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    const nowMs = performance.now();
    if (!this.#wasWelcomed) return this.#breakFirst(nowMs, error);
    if (connection.isWelcomed) {
      this.#brokenSinceMs = nowMs;
      this.#options.onBroken(error);
    }
    this.#connectLater(nowMs, error);
  }

  /** A coordinator that is not there may be on its way; one that is no coordinator is not. */
  #breakFirst(nowMs: number, error: LockstepError): void {
    if (error.code !== 'connection') return this.#end(error);
    if (!this.#isLate) {
      this.#isLate = true;
      this.#brokenSinceMs = this.#beganMs;
      this.#reconnectForMs = FIRST_CONNECT_FOR_MS;
      this.#options.onBroken(error);
    }
    this.#connectLater(nowMs, error);
  }

  #connectLater(nowMs: number, error: LockstepError): void {
    if (this.#over !== null) return;
    if (nowMs - this.#brokenSinceMs > this.#reconnectForMs) {
      return this.#end(new LockstepError('connection', `${error.message}; tried for ${Math.round((nowMs - this.#brokenSinceMs) / 1000)} s to connect${this.#wasWelcomed ? ' again' : ''}`, { cause: error }));
    }
    this.#retry = setTimeout(() => this.#connect(), this.#backoff.broke(nowMs).waitMs);
  }

  #beat({ failureDetectionMs, heartbeat, attestedMs = () => -Infinity }: HeartbeatOptions<Sent>): void {
    const nowMs = performance.now();
    const sinceBeatMs = nowMs - this.#lastBeatMs;
    this.#lastBeatMs = nowMs;
    const connection = this.#connection;
    if (connection === null) return;
    this.#attestedBeats = attestedMs() > nowMs - sinceBeatMs ? this.#attestedBeats + 1 : 0;
    if (this.#attestedBeats % SPARSE === 0) connection.send(heartbeat());
    // After a stall of this process the coordinator's messages are there but not read yet.
    if (sinceBeatMs > failureDetectionMs / 2 || connection.heardMs === null) return;
    const silentMs = nowMs - Math.max(connection.heardMs, attestedMs());
    if (silentMs > failureDetectionMs) connection.cut(new LockstepError('connection', `${this.peer}: silent for ${(silentMs / 1000).toFixed(1)} s`));
  }

  #end(error: LockstepError | null): void {
    if (this.#finish(error ?? new LockstepError('aborted', `the ${this.peer} has finished`))) this.#options.onEnd(error);
  }

  #finish(over: LockstepError): boolean {
    if (this.#over !== null) return false;
    this.#over = over;
    this.stopHeartbeats();
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#connection?.close(over);
    this.#connection = null;
    this.#change();
    return true;
  }

  async #connected(signal: AbortSignal): Promise<ReconnectingConnection<Sent, Received>> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#over !== null) throw this.#over;
      if (this.#connection !== null) return this.#connection;
      await this.#changedOrLater(signal);
    }
  }

  /** Waits until there is another connection or none any more, or a moment. */
  async #changedOrLater(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const later = setTimeout(resolve, RETRY_CALL_MS);
    signal.addEventListener('abort', () => resolve(), { once: true });
    await Promise.race([promise, this.#changed.promise]);
    clearTimeout(later);
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
