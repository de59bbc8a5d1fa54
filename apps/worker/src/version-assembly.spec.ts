import { describe, expect, it } from 'vitest';
import { VersionAssembly } from './version-assembly.ts';

const never = new AbortController().signal;
const ranges = [{ from: 0, to: 2 }, { from: 2, to: 3 }] as const;

function assembly() {
  const versions = new VersionAssembly(3, ranges.length);
  const ports = ranges.map((range) => versions.port(range));
  /** Delivers one shard's range of a version; false when it is of no use. */
  const deliver = (shard: number, version: number): boolean => {
    const destination = ports[shard]!.reserve(version);
    destination?.fill(10 * version + shard);
    if (destination !== null) ports[shard]!.commit(version);
    return destination !== null;
  };
  return { versions, ports, deliver };
}

describe('the versions that a worker puts together', () => {
  it('are whole: every shard\'s range in its place', async () => {
    const { versions, deliver } = assembly();
    const waiting = versions.next(0, never);
    deliver(1, 0);
    deliver(0, 0);
    const { version, parameters } = await waiting;
    expect([version, ...parameters]).toEqual([0, 0, 0, 1]);
    expect(parameters.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it('are there at once when they came before they were asked for', async () => {
    const { versions, deliver } = assembly();
    for (const version of [0, 1]) [0, 1].forEach((shard) => deliver(shard, version));
    expect((await versions.next(0, never)).version).toBe(1);
    expect((await versions.next(1, never)).version).toBe(1);
  });

  it('may be skipped: the newest whole one counts, and older ranges are of no use any more', async () => {
    const { versions, deliver } = assembly();
    const waiting = versions.next(0, never);
    deliver(0, 0);
    deliver(0, 3);
    deliver(1, 3);
    expect((await waiting).version).toBe(3);
    expect(deliver(1, 0)).toBe(false);
    expect(deliver(0, 3)).toBe(false);
    expect((await versions.next(2, never)).parameters[2]).toBe(31);
  });

  it('do not satisfy a wait for a later one', async () => {
    const { versions, deliver } = assembly();
    const waiting = versions.next(2, never);
    for (const version of [0, 1, 2]) [0, 1].forEach((shard) => deliver(shard, version));
    expect((await waiting).version).toBe(2);
  });

  it('ignore a range that began before a newer version was whole', async () => {
    const { versions, ports, deliver } = assembly();
    ports[0]!.reserve(0);
    ports[1]!.reserve(0);
    ports[1]!.commit(0);
    [0, 1].forEach((shard) => deliver(shard, 1));
    ports[0]!.commit(0);
    expect((await versions.next(0, never)).version).toBe(1);
  });

  it('go on after a range that did not stay whole while it was read', async () => {
    const { versions, ports, deliver } = assembly();
    deliver(1, 0);
    ports[0]!.reserve(0);
    ports[0]!.abandon(0);
    const waiting = versions.next(0, never);
    [0, 1].forEach((shard) => deliver(shard, 2));
    expect((await waiting).version).toBe(2);
  });
});

describe('the memory of a version', () => {
  it('is not written again before it is released', async () => {
    const { versions, deliver } = assembly();
    const memories = new Set<ArrayBufferLike>();
    for (const version of [0, 1, 2, 3]) {
      [0, 1].forEach((shard) => deliver(shard, version));
      memories.add((await versions.next(version, never)).parameters.buffer);
    }
    expect(memories.size).toBe(4);
  });

  it('is used again after: two are enough for a worker that keeps up', async () => {
    const { versions, deliver } = assembly();
    const memories = new Set<ArrayBufferLike>();
    let previous: Float32Array | null = null;
    for (let version = 0; version < 100; version += 1) {
      [0, 1].forEach((shard) => deliver(shard, version));
      const { parameters } = await versions.next(version, never);
      expect([...parameters]).toEqual([10 * version, 10 * version, 10 * version + 1]);
      memories.add(parameters.buffer);
      if (previous !== null) versions.release(previous);
      previous = parameters;
    }
    expect(memories.size).toBeLessThanOrEqual(3);
  });
});

describe('a wait for a version', () => {
  it('ends with the signal\'s reason', async () => {
    const { versions, deliver } = assembly();
    const abort = new AbortController();
    const waiting = versions.next(0, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(versions.next(0, abort.signal)).rejects.toThrow('enough');
    const again = versions.next(0, never);
    [0, 1].forEach((shard) => deliver(shard, 0));
    expect((await again).version).toBe(0);
  });
});
