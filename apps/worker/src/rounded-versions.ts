import { bytesOf, type ParameterWireConfig } from '@lockstep/core';
import { trainableIn, type ShardRange } from '@lockstep/parameter-server';
import { createKernels, createVectorCodec, type Bytes, type Kernels, type VectorCodec } from '@lockstep/reduction';
import type { VersionPort } from '@lockstep/transport';
import type { VersionAssembly } from './version-assembly.ts';

/** Where the versions of each shard go that travel in this form. */
export function versionPorts(versions: VersionAssembly, trainableLength: number, form: ParameterWireConfig): (shard: number, range: ShardRange) => VersionPort {
  if (form === 'float32') return (shard, range) => versions.port(shard, range);
  const kernels = createKernels();
  return (shard, range) => {
    const codec = createVectorCodec(kernels, kernels.wireFormats[form], trainableIn({ range, trainableLength }));
    return new RoundedVersions(versions.port(shard, range), kernels, codec, range.to - range.from);
  };
}

/**
 * The versions of a shard that shows them rounded: each arrives in fewer bytes in kernel memory, and is decoded to where
 * it would have arrived. Several versions may be on their way at once.
 */
class RoundedVersions implements VersionPort {
  readonly bytes: number;
  readonly #versions: VersionPort;
  readonly #kernels: Kernels;
  readonly #codec: VectorCodec;
  readonly #length: number;
  readonly #arriving = new Map<number, { readonly encoded: Bytes; readonly destination: Uint8Array }>();

  /** `codec` is that of the shard's range, of `length` elements. */
  constructor(versions: VersionPort, kernels: Kernels, codec: VectorCodec, length: number) {
    this.#versions = versions;
    this.#kernels = kernels;
    this.#codec = codec;
    this.#length = length;
    this.bytes = codec.bytesFor(length);
  }

  reserve(version: number): Uint8Array | null {
    const destination = this.#versions.reserve(version);
    if (destination === null) return null;
    const encoded = this.#kernels.allocateBytes(this.bytes);
    this.#arriving.set(version, { encoded, destination });
    return encoded.data;
  }

  commit(version: number): void {
    const { encoded, destination } = this.#take(version);
    const decoded = this.#kernels.allocate(this.#length);
    this.#codec.decode(encoded, decoded);
    destination.set(bytesOf(decoded.data));
    this.#kernels.release(decoded);
    this.#kernels.releaseBytes(encoded);
    this.#versions.commit(version);
  }

  abandon(version: number): void {
    this.#kernels.releaseBytes(this.#take(version).encoded);
    this.#versions.abandon(version);
  }

  #take(version: number): { readonly encoded: Bytes; readonly destination: Uint8Array } {
    const arriving = this.#arriving.get(version);
    if (arriving === undefined) throw new Error(`version ${version} is not on its way`);
    this.#arriving.delete(version);
    return arriving;
  }
}
