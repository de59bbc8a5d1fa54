import { LockstepError, type Capabilities } from '@lockstep/core';
import { ControlClient, insecureClientCredentials, PROTOCOL_VERSION, type CoordinatorMessage__Output, type WelcomeMessage, type WorkerMessage } from '@lockstep/transport';

export interface MembershipOptions {
  /** `HOST:PORT` or `unix:PATH` of the coordinator. */
  readonly join: string;
  readonly capabilities: Capabilities;
  readonly onMessage: (message: CoordinatorMessage__Output) => void;
  /** The connection is broken, or the first could not be made; it is tried again. */
  readonly onBroken: (error: LockstepError) => void;
  /** The worker is a member again. */
  readonly onRejoin: () => void;
  /** Told to finish, or with an error: refused, or the coordinator did not come back. Called once. */
  readonly onEnd: (error: LockstepError | null) => void;
}

/** A worker's place in the run, which outlives its connection to the coordinator and the coordinator itself. */
export class Membership {
  readonly control: ControlClient;
  readonly #options: MembershipOptions;
  readonly #welcome = Promise.withResolvers<WelcomeMessage>();
  /** What a coordinator must know of this worker whenever it has come back. */
  readonly #standing: WorkerMessage[] = [];
  #identity: { readonly runId: string; readonly rank: number } | null = null;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.control = new ControlClient({
      address: options.join,
      credentials: insecureClientCredentials(),
      hello: () => this.#hello(),
      onMessage: (message) => this.#take(message),
      onBroken: options.onBroken,
      onEnd: options.onEnd,
    });
  }

  /** The first welcome. */
  get welcome(): Promise<WelcomeMessage> {
    return this.#welcome.promise;
  }

  /** Says this now, and again whenever the connection has broken. */
  declare(message: WorkerMessage): void {
    this.#standing.push(message);
    if (this.#identity !== null) this.control.send(message);
  }

  #hello(): WorkerMessage {
    const { capabilities } = this.#options;
    return { hello: { protocolVersion: PROTOCOL_VERSION, capabilities: { ...capabilities, gpuKind: capabilities.gpuKind ?? '' }, rejoin: this.#identity } };
  }

  #take(message: CoordinatorMessage__Output): void {
    if (message.welcome) this.#welcomed(message.welcome);
    else this.#options.onMessage(message);
  }

  #welcomed(welcome: WelcomeMessage): void {
    const { runId, rank } = welcome;
    const known = this.#identity;
    if (known !== null && (known.runId !== runId || known.rank !== rank)) return this.#mistaken(welcome);
    this.#identity = { runId, rank };
    for (const message of this.#standing) this.control.send(message);
    if (known === null) this.#welcome.resolve(welcome);
    else this.#options.onRejoin();
  }

  #mistaken({ runId, rank }: WelcomeMessage): void {
    this.control.close();
    const expected = `worker ${this.#identity?.rank} of run ${this.#identity?.runId}`;
    this.#options.onEnd(new LockstepError('protocol', `the coordinator at ${this.#options.join} took this worker for worker ${rank} of run ${runId}, expected ${expected}`));
  }
}
