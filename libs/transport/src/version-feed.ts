import { VERSION_SLOTS, versionFile } from './exchange-files.ts';
import { OutgoingVersion } from './outgoing-version.ts';
import { SharedFile } from './shared-file.ts';
import type { SharedDirectory } from './shared-directory.ts';
import { blankHeader, CHUNK_BYTES, encodeFrame, lentFramesOf, SHARED_CHUNK_BYTES, type Carrier, type FrameHeader } from './tensor-frame.ts';

/**
 * How versions get to workers: in a shared file, which frames tell of, or in the frames.
 * What goes over a socket is copied, once for all: a slow worker may still be sent one version while the shard makes the next.
 */
export class VersionFeed {
  readonly #files: readonly SharedFile[];
  readonly #freeCopies: Uint8Array[] = [];

  constructor(directory: SharedDirectory | null) {
    this.#files = directory === null ? [] : Array.from({ length: VERSION_SLOTS }, (_, slot) => SharedFile.create(versionFile(directory.path, slot)));
  }

  begin(carrier: Carrier, version: number, numBytes: number): OutgoingVersion {
    const header: FrameHeader = { ...blankHeader, kind: 'version', carrier, slot: version % VERSION_SLOTS, step: version, length: numBytes };
    switch (carrier) {
      case 'shared': return this.#share(header);
      case 'inline': return this.#copy(header);
    }
  }

  close(): void {
    for (const file of this.#files) file.close();
  }

  /** From where the tmpfs is full, the socket carries the rest. */
  #share(header: FrameHeader): OutgoingVersion {
    const file = this.#files[header.slot];
    let isInFile = file !== undefined;
    return new OutgoingVersion(header.length, SHARED_CHUNK_BYTES, (offset, bytes) => {
      isInFile &&= file?.put(header.step, offset, bytes) ?? false;
      return isInFile ? [encodeFrame({ ...header, offset, count: bytes.length })] : framesFrom(header, offset, bytes.slice());
    });
  }

  #copy(header: FrameHeader): OutgoingVersion {
    const copy = this.#freeCopies.pop() ?? new Uint8Array(header.length);
    return new OutgoingVersion(header.length, CHUNK_BYTES, (offset, bytes) => {
      copy.set(bytes, offset);
      return framesFrom(header, offset, copy.subarray(offset, offset + bytes.length));
    }, () => this.#freeCopies.push(copy));
  }
}

function framesFrom({ step, length }: FrameHeader, offset: number, bytes: Uint8Array): readonly Uint8Array[] {
  return lentFramesOf('version', { step }, bytes, { offset, length });
}
