import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sha256 } from '@lockstep/core';
import { channelTarget } from './addresses.ts';
import { controlClientOptions, CoordinatorGrpc } from './coordinator-service.ts';
import { insecureClientCredentials } from './credentials.ts';
import { Control } from './testing/control.ts';

const never = new AbortController().signal;

afterEach(() => void vi.useRealTimers());

describe('a membership stream', () => {
  it.each([0, 1])('carries hello and welcome, whole, over address %i', async (address) => {
    await using control = await Control.start();
    const { connection, messages } = await control.joined(control.addresses[address]);
    expect(connection.peer).toMatch(address === 0 ? /^unix$/ : /^127\.0\.0\.1:\d+$/);
    expect(control.messages.entries[0]?.message).toMatchObject({ message: 'hello', hello: { protocolVersion: 2, capabilities: { hostname: 'a', gpuKind: '' }, rejoin: null } });
    const dataset = { sha256: 'ab', numBytes: 2 ** 40, path: '/data' };
    connection.send({ welcome: { rank: 3, configJson: '{"seed":1}', numericsJson: '{}', dataset, modelBundle: 'x'.repeat(5_000_000), modelBundleSha256: 'cd' } });
    const [, welcome] = await messages.atLeast(2);
    expect(welcome).toMatchObject({ message: 'welcome', welcome: { rank: 3, configJson: '{"seed":1}', dataset, modelBundleSha256: 'cd' } });
    expect(welcome?.welcome?.modelBundle).toHaveLength(5_000_000);
  });

  it('keeps the order of messages, both ways', async () => {
    await using control = await Control.start();
    const { client, connection, messages } = await control.joined();
    for (let part = 0; part < 100; part += 1) {
      client.send({ evaluationPart: { evaluation: 0, part, lossSum: 0.1 * part, numCorrect: part, probabilities: Buffer.alloc(4) } });
      connection.send({ assignment: { fromStep: part, untilStep: part + 1, nodes: [{ level: 0, index: part }] } });
    }
    const received = (await control.messages.atLeast(101)).slice(1);
    expect(received.map(({ message }) => message.evaluationPart?.part)).toEqual(Array.from({ length: 100 }, (_, part) => part));
    expect(received[3]?.message.evaluationPart?.lossSum).toBe(0.1 * 3);
    expect((await messages.atLeast(101)).slice(1).map(({ assignment }) => assignment?.nodes)).toEqual(Array.from({ length: 100 }, (_, index) => [{ level: 0, index }]));
  });

  it('ends at the coordinator once when the worker closes it, after what it said last', async () => {
    await using control = await Control.start();
    const { client, connection, ends } = await control.joined();
    client.send({ modelReady: { parameters: [], topologyJson: '{}' } });
    client.close();
    client.close();
    client.send({ heartbeat: {} });
    expect(await control.ended.atLeast(1)).toEqual([connection]);
    expect(control.messages.entries.map(({ message }) => message.message)).toEqual(['hello', 'modelReady']);
    await control.joined();
    expect(control.ended.entries).toHaveLength(1);
    expect(ends.entries).toEqual([]);
    connection.send({ finish: {} });
    connection.end();
  });

  it.each([
    ['finish', { finish: {} }, null],
    ['refusal', { refusal: { code: 'numerics', reason: 'it computes other bits' } }, { code: 'numerics', message: 'refused by the coordinator: it computes other bits' }],
  ])('is over for good, once, with a %s', async (_, last, error) => {
    await using control = await Control.start();
    const { client, connection, messages, ends, breaks } = await control.joined();
    connection.send(last);
    connection.end();
    expect(await ends.atLeast(1)).toMatchObject([error]);
    expect(messages.entries.slice(1)).toMatchObject([last]);
    await control.ended.atLeast(1);
    client.send({ heartbeat: {} });
    client.close();
    expect(ends.entries).toHaveLength(1);
    expect(breaks.entries).toEqual([]);
    expect(control.ended.entries).toEqual([connection]);
  });

  it('ends at the coordinator, once, when the server stops', async () => {
    await using control = await Control.start();
    const members = [await control.joined(), await control.joined()];
    await control.stop();
    await control.ended.atLeast(2);
    expect(new Set(control.ended.entries)).toEqual(new Set(members.map(({ connection }) => connection)));
    expect(control.ended.entries).toHaveLength(2);
  });

  it('ends with what the coordinator cannot take, and no other stream does', async () => {
    await using control = await Control.start();
    const [wrong, right] = [await control.joined(), await control.joined()];
    wrong.client.send({ failure: { code: '', message: 'not in the expected form', hint: '' } });
    expect(await wrong.breaks.atLeast(1)).toMatchObject([{ message: expect.stringContaining('not in the expected form') }]);
    expect(await control.ended.atLeast(1)).toEqual([wrong.connection]);
    expect(control.notes.entries).toEqual(['unix: its stream was ended: not in the expected form']);
    right.connection.send({ finish: {} });
    expect((await right.messages.atLeast(2))[1]).toMatchObject({ message: 'finish' });
    expect(await right.ends.atLeast(1)).toEqual([null]);
  });

  it('may end by itself while the server waits', async () => {
    await using control = await Control.start();
    const { connection, ends } = await control.joined();
    const closed = control.server.close(60_000);
    connection.send({ finish: {} });
    connection.end();
    await closed;
    expect(await ends.atLeast(1)).toEqual([null]);
  });

  it('says that nobody listens', async () => {
    await using control = await Control.start();
    const { ends } = control.join(`unix:${join(control.directory, 'nobody.sock')}`);
    const [error] = await ends.atLeast(1);
    expect(error).toMatchObject({ code: 'connection', message: expect.stringContaining('nobody.sock') });
  });

  it('ends without a hello in time, and a member that said it stays', async () => {
    await using control = await Control.start();
    const good = await control.joined();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const client = new CoordinatorGrpc(channelTarget(control.addresses[1]!), insecureClientCredentials(), controlClientOptions);
    const stream = client.join();
    const ended = new Promise<Error>((resolve) => stream.on('error', resolve));
    stream.on('data', () => undefined);
    stream.write({ heartbeat: {} });
    await control.messages.atLeast(2);
    vi.advanceTimersByTime(9_999);
    expect(control.notes.entries).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(control.notes.entries).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+: its stream was ended: no hello within 10 s$/)]);
    expect((await ended).message).toContain('no hello within 10 s');
    expect(control.ended.entries).toHaveLength(1);
    expect(good.breaks.entries).toEqual([]);
    client.close();
  });

  it('ends where the member does not read what it is sent, and costs no other member a message', async () => {
    await using control = await Control.start();
    const reader = await control.joined();
    const client = new CoordinatorGrpc(channelTarget(control.addresses[1]!), insecureClientCredentials(), controlClientOptions);
    const stream = client.join();
    stream.on('error', () => undefined);
    stream.write({ hello: {} });
    const { connection } = (await control.messages.atLeast(2))[1]!;
    const message = { refusal: { code: 'x', reason: 'y'.repeat(50_000) } };
    let sent = 0;
    for (; control.ended.entries.length === 0 && sent < 10_000; sent += 1) {
      connection.send(message);
      reader.connection.send({ assignment: { fromStep: sent } });
      await turn();
    }
    expect(control.ended.entries).toEqual([connection]);
    expect(control.notes.entries).toEqual([expect.stringContaining('messages wait for a peer that does not read')]);
    expect(await reader.messages.atLeast(sent + 1)).toHaveLength(sent + 1);
    stream.cancel();
    client.close();
  });
});

describe('a block', () => {
  const bytes = Buffer.alloc(3_000_001, 'lockstep');
  const inFile = (control: Control) => {
    const path = join(control.directory, 'block');
    writeFileSync(path, bytes);
    return control.shelf.putFile(path, sha256(bytes), bytes.length);
  };

  it.each([0, 1, 512 * 1024, 3_000_001])('of %i bytes comes whole from memory', async (length) => {
    await using control = await Control.start();
    const block = control.shelf.put(bytes.subarray(0, length));
    const fetched = await control.join().client.fetchBlock(block, never);
    expect(fetched.equals(bytes.subarray(0, length))).toBe(true);
  });

  it('comes whole from a file, to several workers at once', async () => {
    await using control = await Control.start();
    const block = inFile(control);
    const fetched = await Promise.all([0, 1, 2].map(() => control.join().client.fetchBlock(block, never)));
    expect(fetched.every((each) => each.equals(bytes))).toBe(true);
  });

  it('that is not offered, or not any more, is not found', async () => {
    await using control = await Control.start();
    const { client } = control.join();
    const block = control.shelf.put(Buffer.from('short-lived'));
    control.shelf.remove(block.sha256);
    await expect(client.fetchBlock(block, never)).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining(`no block ${block.sha256}`) });
  });

  it('whose file is gone is an error that names it', async () => {
    await using control = await Control.start();
    const block = inFile(control);
    rmSync(block.path);
    await expect(control.join().client.fetchBlock(block, never)).rejects.toThrow(`cannot read block ${block.sha256}`);
  });

  it.each([
    ['has other bytes than its hash says', (hash: string) => ({ sha256: hash, numBytes: bytes.length }), 'does not have its SHA-256'],
    ['is shorter than announced', (hash: string) => ({ sha256: hash, numBytes: bytes.length + 1 }), 'does not have its SHA-256'],
    ['is longer than announced', (hash: string) => ({ sha256: hash, numBytes: 1000 }), 'is longer than announced'],
  ])('that %s is refused, and the connection serves on', async (_, announce, message) => {
    await using control = await Control.start();
    const { client } = await control.joined();
    const wrong = message.startsWith('does') && announce('').numBytes === bytes.length;
    const path = join(control.directory, 'block');
    writeFileSync(path, wrong ? Buffer.concat([bytes.subarray(1), Buffer.from('x')]) : bytes);
    const { sha256: hash } = control.shelf.putFile(path, sha256(bytes), bytes.length);
    const reference = { ...announce(hash), path: '' };
    await expect(client.fetchBlock(reference, never)).rejects.toMatchObject({ code: 'protocol', message: expect.stringContaining(message) });
    const good = control.shelf.put(Buffer.from('good'));
    expect((await client.fetchBlock(good, never)).toString()).toBe('good');
  });

  it('is not asked for once the signal has aborted', async () => {
    await using control = await Control.start();
    const reason = new Error('enough');
    await expect(control.join().client.fetchBlock(inFile(control), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('stops coming when the signal aborts, and the coordinator lets go of its file', async () => {
    await using control = await Control.start();
    const path = join(control.directory, 'large');
    writeFileSync(path, Buffer.alloc(64 * 1024 * 1024));
    const block = control.shelf.putFile(path, 'a'.repeat(64), 64 * 1024 * 1024);
    const { client } = await control.joined();
    const abort = new AbortController();
    const fetching = client.fetchBlock(block, abort.signal);
    await control.shelf.reads.atLeast(1);
    abort.abort(new Error('enough'));
    await expect(fetching).rejects.toThrow('enough');
    expect(await control.shelf.reads.atLeast(2)).toEqual(['began', 'ended']);
  });
});
