import { LockstepError, messageOf } from '@lockstep/core';
import { checkLength, ChunkAssembly, type FinishedStep, type PeerReceiver, type TensorFrame } from '@lockstep/transport';
import { z } from 'zod';

const number = z.number().finite();
const whole = z.int().min(0);

const finishedSchema = z.strictObject({
  step: whole,
  numExamples: whole,
  numCorrect: whole,
  lossSum: number,
  numNonFinite: whole,
  learningRate: number,
  workers: z.array(z.strictObject({ rank: whole, microBatches: whole, computeMs: number })),
  digests: z.array(whole),
  atMs: number,
}) satisfies z.ZodType<FinishedStep>;

/** What a replica does with what its primary sends. */
export interface ReplicaFeedEvents {
  /** Elements of the range, and of the whole state. */
  readonly length: number;
  readonly stateLength: number;
  /** A step that was finished before the state that follows. */
  history(finished: FinishedStep): void;
  state(version: number, state: Float32Array): void;
  /** The primary's sums of squares in a step, which other shards may still need. */
  norms(frame: TensorFrame): void;
  reserveGradient(): Uint8Array;
  abandonGradient(destination: Uint8Array): void;
  /** Null where the step changes nothing. */
  step(finished: FinishedStep, gradient: Uint8Array | null): void;
  ended(): void;
}

/** The replica's end of the stream from its primary: what was, the state, then step by step what is. */
export class ReplicaFeed implements PeerReceiver {
  readonly #events: ReplicaFeedEvents;
  readonly #assembly = new ChunkAssembly();
  #hasState = false;
  #finished: FinishedStep | null = null;

  constructor(events: ReplicaFeedEvents) {
    this.#events = events;
  }

  take(frame: TensorFrame): void {
    if (frame.header.carrier !== 'inline') throw new LockstepError('protocol', 'a primary names a shared file');
    switch (frame.header.kind) {
      case 'finished': return this.#takeFinished(frame);
      case 'norms': return this.#events.norms(frame);
      case 'state': return this.#takeState(frame);
      case 'gradient': return this.#takeGradient(frame);
      default: throw new LockstepError('protocol', `a primary sent a ${frame.header.kind}`);
    }
  }

  ended(): void {
    this.#assembly.abandon();
    this.#events.ended();
  }

  #takeFinished({ payload }: TensorFrame): void {
    const finished = parseFinished(payload);
    if (!this.#hasState) return this.#events.history(finished);
    if (this.#finished !== null) throw new LockstepError('protocol', `step ${finished.step} before the gradient of step ${this.#finished.step}`);
    if (finished.numNonFinite > 0 || finished.numExamples === 0) this.#events.step(finished, null);
    else this.#finished = finished;
  }

  #takeState(frame: TensorFrame): void {
    const { stateLength } = this.#events;
    checkLength(frame.header, stateLength * 4);
    this.#assembly.take(frame, {
      reserve: () => new Uint8Array(stateLength * 4),
      commit: ({ buffer }) => {
        this.#hasState = true;
        this.#events.state(frame.header.step, new Float32Array(buffer));
      },
      abandon: () => undefined,
    });
  }

  #takeGradient(frame: TensorFrame): void {
    const finished = this.#finished;
    if (finished === null || finished.step !== frame.header.step) throw new LockstepError('protocol', `gradient of step ${frame.header.step} is not announced`);
    checkLength(frame.header, this.#events.length * 4);
    this.#assembly.take(frame, {
      reserve: () => this.#events.reserveGradient(),
      commit: (gradient) => {
        this.#finished = null;
        this.#events.step(finished, gradient);
      },
      abandon: (gradient) => this.#events.abandonGradient(gradient),
    });
  }
}

function parseFinished(payload: Buffer): FinishedStep {
  try {
    return finishedSchema.parse(JSON.parse(payload.toString('utf8')));
  } catch (error) {
    throw new LockstepError('protocol', `malformed step of a primary: ${messageOf(error)}`, { cause: error });
  }
}
