import { bytesOf } from '@lockstep/core';
import { createKernels, createVectorCodec } from '@lockstep/reduction';
import { beforeEach, expect, it } from 'vitest';
import { versionPorts } from './rounded-versions.ts';
import { VersionAssembly } from './version-assembly.ts';

const TRAINABLE = 5;
/** The last shard holds what is trained and what is not; no number of it is one of bfloat16. */
const RANGES = [{ from: 0, to: 2 }, { from: 2, to: 8 }] as const;
const PARAMETERS = Float32Array.from({ length: 8 }, (_, index) => 1 + (index + 1) / 1000);

const kernels = createKernels();

/** As the shard of this range sends them. */
function encoded({ from, to }: (typeof RANGES)[number], parameters: Float32Array): Uint8Array {
  const codec = createVectorCodec(kernels, kernels.wireFormats.bf16, Math.min(TRAINABLE, to) - from);
  const [vector, bytes] = [kernels.allocate(to - from), kernels.allocateBytes(codec.bytesFor(to - from))];
  vector.data.set(parameters.subarray(from, to));
  codec.encode(vector, bytes);
  return bytes.data.slice();
}

let versions: VersionAssembly;
let ports: ReturnType<ReturnType<typeof versionPorts>>[];
beforeEach(() => {
  versions = new VersionAssembly(PARAMETERS.length, RANGES.length, () => undefined);
  const portOf = versionPorts(versions, TRAINABLE, 'bf16');
  ports = RANGES.map((range, shard) => portOf(shard, range));
});

function arrive(shard: 0 | 1, version: number, parameters: Float32Array): void {
  ports[shard]!.reserve(version)!.set(encoded(RANGES[shard], parameters));
  ports[shard]!.commit(version);
}

it('take half of the bytes of what is trained, and all of the rest', () => {
  expect(ports.map(({ bytes }) => bytes)).toEqual([4, 18]);
});

it('give the rounded numbers of what is trained, and the exact ones of the rest', () => {
  arrive(0, 3, PARAMETERS);
  arrive(1, 3, PARAMETERS);
  const { version, parameters } = versions.take(0)!;
  expect(version).toBe(3);
  expect([...parameters.subarray(TRAINABLE)]).toEqual([...PARAMETERS.subarray(TRAINABLE)]);
  parameters.subarray(0, TRAINABLE).forEach((value, index) => expect(Math.abs(value - PARAMETERS[index]!)).toBeLessThan(2 ** -8));
  expect(new Uint16Array(bytesOf(parameters.slice(0, TRAINABLE)).slice().buffer).filter((_, half) => half % 2 === 0)).toEqual(new Uint16Array(TRAINABLE));
});

it('keep versions apart that are on their way at once, and leave no trace of one that did not come', () => {
  const later = PARAMETERS.map((value) => 2 * value);
  const [first, second] = [ports[0]!.reserve(1)!, ports[0]!.reserve(2)!];
  second.set(encoded(RANGES[0], later));
  first.fill(0xff);
  ports[0]!.abandon(1);
  ports[0]!.commit(2);
  arrive(1, 2, later);
  expect(versions.take(0)!.parameters[0]).toBeCloseTo(2 * PARAMETERS[0]!, 1);
  expect(ports[0]!.reserve(2)).toBeNull();
});
