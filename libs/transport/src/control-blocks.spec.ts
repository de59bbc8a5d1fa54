import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { sha256 } from '@lockstep/core';
import { channelTarget } from './addresses.ts';
import { controlClientOptions, CoordinatorGrpc } from './coordinator-service.ts';
import { insecureClientCredentials } from './credentials.ts';
import type { BlockReference__Output } from './gen/lockstep/v1/BlockReference.ts';
import { Control, TOKEN } from './testing/control.ts';

const block = Buffer.alloc(100_000, 'lockstep');
const good = { 'lockstep-token': TOKEN, 'lockstep-sha256': sha256(block), 'lockstep-bytes': String(block.length) };

/** A peer that puts what it likes. */
class Putter implements Disposable {
  readonly #client;

  constructor(control: Control) {
    this.#client = new CoordinatorGrpc(channelTarget(control.addresses[1]!), insecureClientCredentials(), controlClientOptions);
  }

  begin(fields: Readonly<Record<string, string>>) {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
    const reply = Promise.withResolvers<BlockReference__Output>();
    reply.promise.catch(() => undefined);
    const call = this.#client.putBlock(metadata, (error, reference) => (error ? reply.reject(error) : reply.resolve(reference!)));
    return { call, reply: reply.promise };
  }

  async put(fields: Readonly<Record<string, string>>, bytes: Uint8Array): Promise<BlockReference__Output> {
    const { call, reply } = this.begin(fields);
    call.write({ data: bytes });
    call.end();
    return reply;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

describe('a block that a host puts', () => {
  it.each([
    ['without a token', { ...good, 'lockstep-token': '' }, status.PERMISSION_DENIED, 'does not present the token'],
    ['with a wrong token', { ...good, 'lockstep-token': `${TOKEN}x` }, status.PERMISSION_DENIED, 'does not present the token'],
    ['without a hash', { ...good, 'lockstep-sha256': '' }, status.INVALID_ARGUMENT, 'expected a SHA-256'],
    ['with a path for a hash', { ...good, 'lockstep-sha256': '../../etc/passwd' }, status.INVALID_ARGUMENT, 'expected a SHA-256'],
    ['with a wrong hash', { ...good, 'lockstep-sha256': 'a'.repeat(64) }, status.INVALID_ARGUMENT, 'without the SHA-256'],
    ['without a length', { ...good, 'lockstep-bytes': '' }, status.INVALID_ARGUMENT, 'expected a SHA-256 and a number'],
    ['with a negative length', { ...good, 'lockstep-bytes': '-1' }, status.INVALID_ARGUMENT, 'expected a SHA-256 and a number'],
    ['longer than announced', { ...good, 'lockstep-bytes': '10' }, status.INVALID_ARGUMENT, 'longer than the 10 bytes'],
    ['shorter than announced', { ...good, 'lockstep-bytes': '100001' }, status.INVALID_ARGUMENT, '100000 bytes of 100001 came'],
    ['of more bytes than all may have', { ...good, 'lockstep-bytes': String(5 * 1024 ** 3) }, status.RESOURCE_EXHAUSTED, '5368709120 bytes'],
  ])('%s is refused with one note, and the next one is taken', async (_, fields, code, message) => {
    await using control = await Control.start();
    using putter = new Putter(control);
    await expect(putter.put(fields, block)).rejects.toMatchObject({ code, details: expect.stringContaining(message) } satisfies Partial<ServiceError>);
    expect(control.notes.entries).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+: its block was refused: /)]);
    expect(() => control.shelf.take(good['lockstep-sha256'])).toThrow('no host has put');
    expect(await putter.put(good, block)).toMatchObject({ sha256: good['lockstep-sha256'] });
    expect(block.equals(control.shelf.take(good['lockstep-sha256']))).toBe(true);
  });

  it('is refused before the run has a token', async () => {
    await using control = await Control.start();
    control.server.token = '';
    using putter = new Putter(control);
    await expect(putter.put({ ...good, 'lockstep-token': '' }, block)).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  });

  it('is one of eight at most that are under way, and one that is broken off makes room', async () => {
    await using control = await Control.start();
    using putter = new Putter(control);
    const begun = Array.from({ length: 8 }, () => putter.begin(good));
    for (const { call } of begun) await new Promise((resolve) => call.write({ data: block.subarray(0, 10) }, resolve));
    await expect(putter.put(good, block)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('8 blocks are under way') });
    begun[0]!.call.cancel();
    await expect(begun[0]!.reply).rejects.toMatchObject({ code: status.CANCELLED });
    await expect.poll(() => putter.put(good, block).then(() => 'taken', () => 'refused')).toBe('taken');
    for (const { call } of begun) call.cancel();
  });
});
