import { LockstepError } from '@lockstep/core';
import type { FrameHeader, TensorFrame } from './tensor-frame.ts';

/** Where one tensor slice goes: memory is reserved before its first byte, and committed or abandoned after. */
export interface Landing {
  /** Null where the slice is of no use and only skipped over. */
  reserve(): Uint8Array | null;
  commit(destination: Uint8Array): void;
  abandon(destination: Uint8Array): void;
}

interface Arriving {
  readonly header: FrameHeader;
  readonly landing: Landing;
  readonly destination: Uint8Array | null;
  received: number;
}

/** Puts the chunks that arrive on one stream in their place: one slice at a time, from its first chunk to its last. */
export class ChunkAssembly {
  #arriving: Arriving | null = null;

  /** Takes the next chunk; `landing` counts where a slice begins. */
  take({ header, payload }: TensorFrame, landing: Landing): void {
    this.#arriving ??= begin(header, landing);
    const arriving = this.#arriving;
    checkContinues(arriving, header);
    if (arriving.destination !== null) arriving.destination.set(payload, header.offset);
    arriving.received += header.count;
    if (arriving.received < header.length) return;
    this.#arriving = null;
    if (arriving.destination !== null) arriving.landing.commit(arriving.destination);
  }

  /** The stream ended: what has begun to arrive will not be whole. */
  abandon(): void {
    const arriving = this.#arriving;
    this.#arriving = null;
    if (arriving !== null && arriving.destination !== null) arriving.landing.abandon(arriving.destination);
  }
}

/** Checks a slice's bytes against what is due, before any of them is used. */
export function checkLength(header: FrameHeader, numBytes: number): void {
  if (header.length !== numBytes) {
    throw new LockstepError('protocol', `${header.kind} of ${header.length} bytes, expected ${numBytes}`);
  }
}

function begin(header: FrameHeader, landing: Landing): Arriving {
  if (header.offset !== 0) throw new LockstepError('protocol', `${describe(header)}, expected the first chunk of a slice`);
  return { header, landing, destination: landing.reserve(), received: 0 };
}

function checkContinues({ header: first, received }: Arriving, header: FrameHeader): void {
  const continues = header.kind === first.kind && header.step === first.step
    && header.node.level === first.node.level && header.node.index === first.node.index
    && header.offset === received && header.length === first.length;
  if (!continues) throw new LockstepError('protocol', `${describe(header)}, expected ${describe({ ...first, offset: received })}`);
}

function describe({ kind, step, node, offset, length }: FrameHeader): string {
  const of = kind === 'partial' ? `partial (step ${step}, node (${node.level}, ${node.index}))` : kind === 'initial' ? 'initial parameters' : `${kind} ${step}`;
  return `chunk at ${offset} of ${length} of ${of}`;
}
