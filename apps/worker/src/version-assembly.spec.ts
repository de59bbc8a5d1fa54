import { describe, expect, it } from 'vitest';
import { VersionAssembly } from './version-assembly.ts';

const ranges = [{ from: 0, to: 2 }, { from: 2, to: 3 }] as const;

const floatsIn = ({ buffer, byteOffset, length }: Uint8Array): Float32Array => new Float32Array(buffer, byteOffset, length / 4);

function assembly() {
  const complete: number[] = [];
  const versions = new VersionAssembly(3, ranges.length, (version) => complete.push(version));
  const ports = ranges.map((range, shard) => versions.port(shard, range));
  /** Delivers one shard's range of a version; false when it is of no use. */
  const deliver = (shard: number, version: number): boolean => {
    const destination = ports[shard]!.reserve(version);
    if (destination !== null) floatsIn(destination).fill(10 * version + shard);
    if (destination !== null) ports[shard]!.commit(version);
    return destination !== null;
  };
  const deliverAll = (version: number): void => [0, 1].forEach((shard) => deliver(shard, version));
  return { versions, ports, deliver, deliverAll, complete };
}

describe('the versions that a worker puts together', () => {
  it('are whole: every shard\'s range in its place', () => {
    const { versions, deliver, complete } = assembly();
    deliver(1, 0);
    expect(versions.take(0)).toBeNull();
    deliver(0, 0);
    const { version, parameters } = versions.take(0)!;
    expect([version, ...parameters]).toEqual([0, 0, 0, 1]);
    expect(parameters.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(complete).toEqual([0]);
  });

  it('may be skipped: the newest whole one counts, and older ranges are of no use any more', () => {
    const { versions, deliver, complete } = assembly();
    deliver(0, 0);
    deliver(0, 3);
    deliver(1, 3);
    expect(versions.take(0)?.version).toBe(3);
    expect([deliver(1, 0), deliver(0, 3), deliver(1, 2)]).toEqual([false, false, false]);
    expect(versions.hasNewerThan(2)).toBe(true);
    expect(versions.hasNewerThan(3)).toBe(false);
    expect(versions.take(4)).toBeNull();
    expect(complete).toEqual([3]);
  });

  it('ignore a range that began before a newer version was whole', () => {
    const { versions, ports, deliverAll, complete } = assembly();
    ports[0]!.reserve(0);
    ports[1]!.reserve(0);
    deliverAll(2);
    ports[0]!.commit(0);
    ports[1]!.commit(0);
    expect(versions.take(0)?.version).toBe(2);
    expect(complete).toEqual([2]);
  });

  it('are not whole by one shard that comes twice, after its stream broke', () => {
    const { versions, ports, deliver } = assembly();
    expect([deliver(0, 5), deliver(0, 5)]).toEqual([true, false]);
    floatsIn(ports[1]!.reserve(5)!).fill(-1);
    ports[1]!.abandon(5);
    expect(versions.take(0)).toBeNull();
    expect(deliver(1, 5)).toBe(true);
    expect([...versions.take(0)!.parameters]).toEqual([50, 50, 51]);
  });

  it('go on after a shard that was away for some', () => {
    const { versions, deliver, complete } = assembly();
    for (let version = 0; version < 20; version += 1) deliver(0, version);
    expect(versions.take(0)).toBeNull();
    expect(deliver(1, 19)).toBe(true);
    expect([...versions.take(0)!.parameters]).toEqual([190, 190, 191]);
    expect(complete).toEqual([19]);
  });
});

describe('the memory of a version', () => {
  it('is not written again while it is the one taken, or the one that the engine has', () => {
    const { versions, deliverAll } = assembly();
    deliverAll(0);
    const computed = versions.take(0)!;
    versions.markLoaded();
    deliverAll(1);
    const waiting = versions.take(1)!;
    for (let version = 2; version < 20; version += 1) deliverAll(version);
    expect([...computed.parameters]).toEqual([0, 0, 1]);
    expect([...waiting.parameters]).toEqual([10, 10, 11]);
  });

  it.each([
    ['computes on every version', () => true],
    ['has a part in some steps', (version: number) => version % 7 === 3],
    ['has no part in any', () => false],
  ])('is used again by a worker that %s', (_, computes) => {
    const { versions, deliverAll } = assembly();
    const memories = new Set<ArrayBufferLike>();
    for (let version = 0; version < 100; version += 1) {
      deliverAll(version);
      const { parameters } = versions.take(version)!;
      expect([...parameters]).toEqual([10 * version, 10 * version, 10 * version + 1]);
      memories.add(parameters.buffer);
      if (computes(version)) versions.markLoaded();
    }
    expect(memories.size).toBeLessThanOrEqual(3);
  });

  it('is used again where versions are skipped', () => {
    const { versions, ports, deliverAll } = assembly();
    const memories = new Set<ArrayBufferLike>();
    for (let version = 0; version < 100; version += 1) {
      memories.add(ports[0]!.reserve(version)!.buffer);
      deliverAll(version);
      if (version % 10 === 0) versions.take(0);
    }
    expect(memories.size).toBeLessThanOrEqual(3);
  });
});
