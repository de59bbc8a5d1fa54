import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256, type LockstepError } from '@lockstep/core';
import { BlockShelf } from './block-shelf.ts';
import { ControlClient } from './control-client.ts';
import { ControlServer, type WorkerConnection } from './control-server.ts';
import { insecureClientCredentials, insecureServerCredentials } from './credentials.ts';
import type { CoordinatorMessage__Output } from './gen/lockstep/v1/CoordinatorMessage.ts';
import type { WorkerMessage__Output } from './gen/lockstep/v1/WorkerMessage.ts';
import { Journal } from './testing/journal.ts';

interface Member {
  readonly client: ControlClient;
  readonly messages: Journal<CoordinatorMessage__Output>;
  readonly ends: Journal<LockstepError | null>;
}

/** Says when a block begins to be read and when it is let go. */
class WatchedShelf extends BlockShelf {
  readonly reads = new Journal<'began' | 'ended'>();

  override async *read(hash: string): AsyncGenerator<Uint8Array> {
    this.reads.add('began');
    try {
      yield* super.read(hash);
    } finally {
      this.reads.add('ended');
    }
  }
}

/** A control server that writes down what it is told, on a Unix socket and a TCP port. */
class Control implements AsyncDisposable {
  readonly shelf = new WatchedShelf();
  readonly messages = new Journal<{ readonly connection: WorkerConnection; readonly message: WorkerMessage__Output }>();
  readonly ended = new Journal<WorkerConnection>();
  readonly server = new ControlServer({
    message: (connection, message) => {
      if (message.failure) throw new Error(message.failure.message);
      this.messages.add({ connection, message });
    },
    ended: (connection) => this.ended.add(connection),
  }, this.shelf, insecureServerCredentials());
  readonly #clients: ControlClient[] = [];
  addresses: readonly string[] = [];

  static async start(): Promise<Control> {
    const control = new Control();
    control.addresses = await control.server.listen([`unix:${join(directory, 'c.sock')}`, '127.0.0.1:0']);
    return control;
  }

  join(address = this.addresses[0]!): Member {
    const messages = new Journal<CoordinatorMessage__Output>();
    const ends = new Journal<LockstepError | null>();
    const client = new ControlClient({ address, credentials: insecureClientCredentials(), onMessage: (message) => messages.add(message), onEnd: (error) => ends.add(error) });
    this.#clients.push(client);
    return { client, messages, ends };
  }

  /** A member whose stream stands: its first message has arrived. */
  async joined(): Promise<Member & { readonly connection: WorkerConnection }> {
    const member = this.join();
    const before = this.messages.entries.length;
    member.client.send({ heartbeat: {} });
    const { connection } = (await this.messages.atLeast(before + 1))[before]!;
    return { ...member, connection };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.close(0);
  }
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'control-spec-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const never = new AbortController().signal;

describe('a membership stream', () => {
  it.each([0, 1])('carries hello and welcome, whole, over address %i', async (address) => {
    await using control = await Control.start();
    const { client, messages } = control.join(control.addresses[address]);
    const capabilities = { engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: '', instructionSet: 'AVX2', hostname: 'a', pid: 4_000_000_000 };
    client.send({ hello: { protocolVersion: 1, capabilities } });
    const { connection, message } = (await control.messages.atLeast(1))[0]!;
    expect(message).toMatchObject({ message: 'hello', hello: { protocolVersion: 1, capabilities } });
    const dataset = { sha256: 'ab', numBytes: 2 ** 40, path: '/data' };
    connection.send({ welcome: { rank: 3, configJson: '{"seed":1}', numericsJson: '{}', dataset, modelBundle: 'x'.repeat(5_000_000), modelBundleSha256: 'cd' } });
    const [welcome] = await messages.atLeast(1);
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
    expect((await messages.atLeast(100)).map(({ assignment }) => assignment?.nodes)).toEqual(Array.from({ length: 100 }, (_, index) => [{ level: 0, index }]));
  });

  it('ends at the coordinator once when the worker closes it, after what it said last', async () => {
    await using control = await Control.start();
    const { client, connection, ends } = await control.joined();
    client.send({ modelReady: { parameters: [], topologyJson: '{}' } });
    client.close();
    client.close();
    client.send({ heartbeat: {} });
    expect(await control.ended.atLeast(1)).toEqual([connection]);
    expect(control.messages.entries.map(({ message }) => message.message)).toEqual(['heartbeat', 'modelReady']);
    await control.joined();
    expect(control.ended.entries).toHaveLength(1);
    expect(ends.entries).toEqual([]);
    connection.send({ finish: {} });
    connection.end();
  });

  it('ends at the worker once, without error, when the coordinator ends it after its last word', async () => {
    await using control = await Control.start();
    const { client, connection, messages, ends } = await control.joined();
    connection.send({ refusal: { code: 'protocol', reason: 'too late' } });
    connection.end();
    expect(await ends.atLeast(1)).toEqual([null]);
    expect(messages.entries).toMatchObject([{ refusal: { code: 'protocol', reason: 'too late' } }]);
    await control.ended.atLeast(1);
    client.send({ heartbeat: {} });
    client.close();
    expect(ends.entries).toEqual([null]);
    expect(control.ended.entries).toHaveLength(1);
  });

  it('ends on both sides, once, when the server stops', async () => {
    await using control = await Control.start();
    const members = [await control.joined(), await control.joined()];
    await control.server.close(0);
    for (const { ends } of members) {
      await ends.atLeast(1);
      expect(ends.entries).toMatchObject([{ code: 'connection', message: expect.stringContaining(`coordinator at ${control.addresses[0]}`) }]);
    }
    await control.ended.atLeast(2);
    expect(new Set(control.ended.entries)).toEqual(new Set(members.map(({ connection }) => connection)));
    expect(control.ended.entries).toHaveLength(2);
  });

  it('ends with what the coordinator cannot take, and no other stream does', async () => {
    await using control = await Control.start();
    const [wrong, right] = [await control.joined(), await control.joined()];
    wrong.client.send({ failure: { code: '', message: 'not in the expected form', hint: '' } });
    expect(await wrong.ends.atLeast(1)).toMatchObject([{ message: expect.stringContaining('not in the expected form') }]);
    expect(await control.ended.atLeast(1)).toEqual([wrong.connection]);
    right.connection.send({ finish: {} });
    expect(await right.messages.atLeast(1)).toMatchObject([{ message: 'finish' }]);
    expect(right.ends.entries).toEqual([]);
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
    const { ends } = control.join(`unix:${join(directory, 'nobody.sock')}`);
    const [error] = await ends.atLeast(1);
    expect(error).toMatchObject({ code: 'connection', message: expect.stringContaining('nobody.sock') });
  });
});

describe('a block', () => {
  const bytes = Buffer.alloc(3_000_001, 'lockstep');
  const inFile = (control: Control) => {
    const path = join(directory, 'block');
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
    const path = join(directory, 'block');
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
    const path = join(directory, 'large');
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
