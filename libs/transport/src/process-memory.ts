import { randomBytes } from 'node:crypto';
import { BroadcastChannel, getEnvironmentData, receiveMessageOnPort, setEnvironmentData, type MessagePort } from 'node:worker_threads';
import type { ReadBytes } from './chunk-assembly.ts';

/** Where the partials of a slot lie in the memory of the worker's threads, from now on. */
export interface LentSlice {
  readonly slot: number;
  readonly bytes: Uint8Array;
  /** One integer: 1 as long as the worker writes nothing there before the version of the step has come. */
  readonly isLent: Int32Array;
}

/** Where a shard's parameters lie as workers see them. */
export interface VersionMemory {
  readonly bytes: Uint8Array;
  /** One integer: the version that the shard makes there now, or has made last. */
  readonly stamp: Int32Array;
}

/** Random, and the same in all threads of a process: data of the environment is inherited by a thread that is started. */
export const processId: string = inheritedId();

/**
 * How the threads of one process hand each other views of shared memory, beside a tensor stream whose frames say what they
 * are of. What is posted before a frame is there when the frame arrives. A name that only the two ends know leads to the other one.
 */
export class MemoryLane<Out extends object, In extends object> {
  readonly #channel: BroadcastChannel;
  readonly #arrived: In[] = [];

  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
    this.#channel.unref();
    // The event loop may come to it before `next` does.
    this.#channel.onmessage = (event) => this.#arrived.push((event as { readonly data: In }).data);
  }

  post(message: Out): void {
    this.#channel.postMessage(message);
  }

  /** The next message from the other end, or undefined where it has not posted one. */
  next(): In | undefined {
    if (this.#arrived.length > 0) return this.#arrived.shift();
    // It takes a BroadcastChannel too, which its types do not know.
    return (receiveMessageOnPort(this.#channel as unknown as MessagePort) as { readonly message: In } | undefined)?.message;
  }

  close(): void {
    this.#channel.close();
  }
}

/** Reads bytes that the shard has told of. False where it has begun to make another version there. */
export function readVersion({ bytes, stamp }: VersionMemory, version: number, offset: number, into: Uint8Array): boolean {
  if (Atomics.load(stamp, 0) !== version) return false;
  into.set(bytes.subarray(offset, offset + into.length));
  // An addition is a barrier for the reads before it, which a load is not.
  return Atomics.add(stamp, 0, 0) === version;
}

/** Reads a partial where its worker has it. False where the worker may have written other bytes there. */
export function readLent({ bytes, isLent }: LentSlice): ReadBytes {
  return (offset, into) => {
    into.set(bytes.subarray(offset, offset + into.length));
    return Atomics.add(isLent, 0, 0) === 1;
  };
}

function inheritedId(): string {
  const key = 'lockstep.process';
  const known = getEnvironmentData(key);
  if (typeof known === 'string') return known;
  const id = randomBytes(16).toString('hex');
  setEnvironmentData(key, id);
  return id;
}
