import { describe, expect, it } from 'vitest';
import { type LockstepError } from '@lockstep/core';
import { insecureClientCredentials } from './credentials.ts';
import type { HostCommand__Output } from './gen/lockstep/v1/HostCommand.ts';
import { HostClient } from './host-client.ts';
import { connectInProcess } from './host-in-process.ts';
import type { HostLink, HostLinkEvents } from './host-link.ts';
import { Control, HOST_WELCOME } from './testing/control.ts';
import { Journal } from './testing/journal.ts';

const never = new AbortController().signal;
const hello = { hello: { protocolVersion: 2, kind: 'server', hostname: 'a', pid: 7, rehost: null } };

class Host {
  readonly commands = new Journal<HostCommand__Output>();
  readonly ends = new Journal<LockstepError | null>();
  readonly link: HostLink;
  #isCalling = true;

  constructor(connect: (events: HostLinkEvents) => HostLink) {
    this.link = connect({
      hello: () => {
        expect(this.#isCalling).toBe(false);
        return hello;
      },
      command: (command) => this.commands.add(command),
      ended: (error) => this.ends.add(error),
    });
    this.#isCalling = false;
  }
}

const links = [
  { over: 'gRPC', connect: (control: Control) => (events: HostLinkEvents) => new HostClient({ address: control.addresses[1]!, credentials: insecureClientCredentials(), events }) },
  { over: 'a Unix socket', connect: (control: Control) => (events: HostLinkEvents) => new HostClient({ address: control.addresses[0]!, credentials: insecureClientCredentials(), events }) },
  { over: 'a process', connect: (control: Control) => (events: HostLinkEvents) => connectInProcess(control.hostPort, control.shelf, events) },
];

describe.each(links)("a host's link over $over", ({ connect }) => {
  const welcomed = async (control: Control) => {
    const host = new Host(connect(control));
    await host.commands.atLeast(1);
    return { ...host, link: host.link, connection: control.hostMessages.entries[0]!.connection };
  };

  it('says hello first, and is welcomed', async () => {
    await using control = await Control.start();
    const { link, commands } = await welcomed(control);
    expect(control.hostMessages.entries[0]?.message).toEqual({ message: 'hello', ...hello });
    expect(commands.entries).toEqual([{ message: 'welcome', welcome: HOST_WELCOME }]);
    link.close();
  });

  it('gives what was left out the same form on both sides', async () => {
    await using control = await Control.start();
    const { link, commands, connection } = await welcomed(control);
    link.send({ stepsFinished: { generation: 1, steps: [{ step: 2, workers: [{ rank: 1 }], digests: [4_000_000_000] }] } });
    const [, said] = await control.hostMessages.atLeast(2);
    expect(said?.message).toEqual({
      message: 'stepsFinished',
      stepsFinished: {
        generation: 1, shard: 0,
        steps: [{ step: 2, numExamples: 0, numCorrect: 0, lossSum: 0, numNonFinite: 0, learningRate: 0, workers: [{ rank: 1, microBatches: 0, computeMs: 0 }], digests: [4_000_000_000], atMs: 0 }],
      },
    });
    connection.send({ startShard: { shard: 1, start: { sha256: 'ab', numBytes: 2 ** 33 } } });
    connection.send({ drop: {} });
    expect((await commands.atLeast(3)).slice(1)).toEqual([
      { message: 'startShard', startShard: { generation: 0, shard: 1, role: '', planJson: '', start: { sha256: 'ab', numBytes: 2 ** 33, path: '' }, startVersion: 0, sharedMemory: false } },
      { message: 'drop', drop: { belowGeneration: 0, shardNumbers: [] } },
    ]);
    link.close();
  });

  it('keeps the order of messages, both ways', async () => {
    await using control = await Control.start();
    const { link, commands, connection } = await welcomed(control);
    for (let number = 0; number < 100; number += 1) {
      link.send({ coverage: { request: number } });
      connection.send({ coverage: { request: number } });
    }
    const expected = Array.from({ length: 100 }, (_, number) => number);
    expect((await control.hostMessages.atLeast(101)).slice(1).map(({ message }) => message.coverage?.request)).toEqual(expected);
    expect((await commands.atLeast(101)).slice(1).map(({ coverage }) => coverage?.request)).toEqual(expected);
    link.close();
  });

  it.each([[[0]], [[5, 0, 7]], [[3_000_000, 1_000_001]]])('puts a block of parts of %j bytes, which can be taken once', async (lengths) => {
    await using control = await Control.start();
    const { link } = await welcomed(control);
    const parts = lengths.map((length, part) => Buffer.alloc(length, part + 1));
    const whole = Buffer.concat(parts);
    const reference = await link.putBlock(parts, never);
    expect(reference).toMatchObject({ numBytes: whole.length, path: '' });
    expect(whole.equals(control.shelf.take(reference.sha256))).toBe(true);
    expect(() => control.shelf.take(reference.sha256)).toThrow(`no host has put block ${reference.sha256}`);
    link.close();
  });

  it('puts equal blocks of several hosts, each for the taking', async () => {
    await using control = await Control.start();
    const { link } = await welcomed(control);
    const [first, second] = await Promise.all([link.putBlock([Buffer.from('same')], never), link.putBlock([Buffer.from('same')], never)]);
    expect([control.shelf.take(first.sha256), control.shelf.take(second.sha256)].map(String)).toEqual(['same', 'same']);
    link.close();
  });

  it('fetches a block into memory of its own, aligned for float32', async () => {
    await using control = await Control.start();
    const { link } = await welcomed(control);
    const offered = Buffer.alloc(1_000, 'lockstep');
    const fetched = await link.fetchBlock(control.shelf.put(offered), never);
    expect(fetched.equals(offered)).toBe(true);
    expect(fetched.byteOffset % 4).toBe(0);
    fetched[0] = 0;
    expect(offered.toString('utf8', 0, 8)).toBe('lockstep');
    await expect(link.fetchBlock({ sha256: 'b'.repeat(64), numBytes: 4, path: '' }, never)).rejects.toMatchObject({ code: 'not-found' });
    link.close();
  });

  it.each([
    ['finish', { finish: {} }, null],
    ['a refusal', { refusal: { code: 'usage', reason: 'another run' } }, { code: 'usage', message: 'refused by the coordinator: another run' }],
  ])('is over, once, with %s', async (_, last, error) => {
    await using control = await Control.start();
    const { link, ends, connection } = await welcomed(control);
    connection.send(last);
    connection.end();
    expect(await ends.atLeast(1)).toMatchObject([error]);
    expect(await control.hostsEnded.atLeast(1)).toEqual([connection]);
    link.close();
    expect(ends.entries).toHaveLength(1);
  });

  it('ends at the coordinator, once, when the host closes it', async () => {
    await using control = await Control.start();
    const { link, ends, connection } = await welcomed(control);
    link.close();
    link.close();
    expect(await control.hostsEnded.atLeast(1)).toEqual([connection]);
    expect(ends.entries).toEqual([]);
  });
});

describe("a host's link over gRPC", () => {
  const connect = (control: Control) => new Host((events) => new HostClient({ address: control.addresses[1]!, credentials: insecureClientCredentials(), events }));

  it('comes back with the coordinator, and puts its blocks then', async () => {
    await using control = await Control.start();
    const { link, commands, ends } = connect(control);
    await commands.atLeast(1);
    await control.stop();
    await expect(link.putBlock([Buffer.from('lost')], never)).rejects.toMatchObject({ code: 'connection' });
    await control.comeBack();
    await commands.atLeast(2);
    expect(control.hostMessages.entries.map(({ message }) => message.message)).toEqual(['hello', 'hello']);
    const { sha256: hash } = await link.putBlock([Buffer.from('kept')], never);
    expect(String(control.shelf.take(hash))).toBe('kept');
    expect(ends.entries).toEqual([]);
    link.close();
  });

  it('rejects with the signal and with the end of the connection', async () => {
    await using control = await Control.start();
    const { link, commands } = connect(control);
    await commands.atLeast(1);
    const large = [Buffer.alloc(64 * 1024 * 1024)];
    await expect(link.putBlock(large, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    const putting = link.putBlock(large, never);
    link.close();
    await expect(putting).rejects.toMatchObject({ code: 'aborted' });
  });
});
