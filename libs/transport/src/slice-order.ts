import { LockstepError } from '@lockstep/core';
import type { FrameHeader } from './tensor-frame.ts';

/** Checks that the chunks of a stream's slices come one slice at a time, each in order from its first byte to its last. */
export class SliceOrder {
  #first: FrameHeader | null = null;
  #received = 0;

  /** Takes note of the next chunk. @throws LockstepError `protocol` where it does not follow the one before. */
  next(header: FrameHeader): { readonly isFirst: boolean; readonly isLast: boolean } {
    const isFirst = this.#first === null;
    if (isFirst && header.offset !== 0) throw new LockstepError('protocol', `${describe(header)}, expected the first chunk of a slice`);
    if (isFirst) this.#received = 0;
    this.#first ??= header;
    this.#checkContinues(this.#first, header);
    this.#received += header.count;
    const isLast = this.#received === header.length;
    if (isLast) this.#first = null;
    return { isFirst, isLast };
  }

  #checkContinues(first: FrameHeader, header: FrameHeader): void {
    const continues = header.kind === first.kind && header.step === first.step
      && header.node.level === first.node.level && header.node.index === first.node.index
      && header.offset === this.#received && header.length === first.length;
    if (!continues) throw new LockstepError('protocol', `${describe(header)}, expected ${describe({ ...first, offset: this.#received })}`);
  }
}

/** Checks a slice's bytes against what is due, before any of them is used. */
export function checkLength(header: FrameHeader, numBytes: number): void {
  if (header.length !== numBytes) {
    throw new LockstepError('protocol', `${header.kind} of ${header.length} bytes, expected ${numBytes}`);
  }
}

function describe({ kind, step, node, offset, length }: FrameHeader): string {
  const of = kind === 'partial' ? `partial (step ${step}, node (${node.level}, ${node.index}))` : kind === 'initial' ? 'initial parameters' : `${kind} ${step}`;
  return `chunk at ${offset} of ${length} of ${of}`;
}
