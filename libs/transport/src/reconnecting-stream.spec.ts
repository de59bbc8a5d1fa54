import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WorkerConnection } from './control-server.ts';
import { Control } from './testing/control.ts';
import { Journal } from './testing/journal.ts';

const never = new AbortController().signal;
const heartbeat = () => ({ heartbeat: { step: 0 } });

/** Takes connections at an address and says nothing, as a process that is stopped does. */
class MuteServer implements AsyncDisposable {
  readonly connections = new Journal<Socket>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      this.connections.add(socket);
    });
  }

  static async listen(address: string): Promise<MuteServer> {
    const server = createServer();
    server.listen(Number(/\d+$/.exec(address)?.[0]), '127.0.0.1');
    await once(server, 'listening');
    return new MuteServer(server);
  }

  /** No new connections; those that are there stay mute. */
  stopListening(): void {
    this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.connections.entries) socket.destroy();
  }
}

describe('a stream whose server is killed', () => {
  it.each([0, 1])('comes back by itself when the server does at the same address %i, with a hello first', async (address) => {
    await using control = await Control.start();
    const { client, breaks, messages, ends } = await control.joined(control.addresses[address]);
    client.startHeartbeats({ failureDetectionMs: 60_000, heartbeat });
    await control.stop();
    expect(await breaks.atLeast(1)).toMatchObject([{ code: 'connection', message: expect.stringContaining(`coordinator at ${control.addresses[address]}`) }]);
    client.send({ leave: {} });
    const before = control.messages.entries.length;
    await control.comeBack();
    expect((await messages.atLeast(2))[1]).toMatchObject({ welcome: { runId: 'run' } });
    client.send({ leave: {} });
    await control.messages.atLeast(before + 2);
    expect(control.messages.entries.slice(before).map(({ message }) => message.message)).toEqual(['hello', 'leave']);
    expect(breaks.entries).toHaveLength(1);
    expect(ends.entries).toEqual([]);
  });

  it('is back within two seconds of the server, however long that was away', async () => {
    await using control = await Control.start();
    const members = [await control.joined(), await control.joined(control.addresses[1]), await control.joined(control.addresses[1])];
    await control.stop();
    await using mute = await MuteServer.listen(control.addresses[1]!);
    await mute.connections.atLeast(2);
    for (const socket of mute.connections.entries) socket.destroy();
    await mute.connections.atLeast(6);
    for (const socket of mute.connections.entries) socket.destroy();
    mute.stopListening();
    await control.comeBack();
    const sinceMs = performance.now();
    await Promise.all(members.map(({ messages }) => messages.atLeast(2)));
    expect(performance.now() - sinceMs).toBeLessThan(2_000);
  });

  it('gives a server up that takes connections and says nothing, and finds the one that comes after it', async () => {
    await using control = await Control.start();
    const { client, messages, breaks } = await control.joined(control.addresses[1]);
    client.startHeartbeats({ failureDetectionMs: 200, heartbeat });
    await control.stop();
    await using mute = await MuteServer.listen(control.addresses[1]!);
    await mute.connections.atLeast(1);
    mute.stopListening();
    await control.comeBack();
    await messages.atLeast(2);
    expect(breaks.entries).toHaveLength(1);
  });

  it('ends with an error when the server does not come back in time', async () => {
    await using control = await Control.start();
    const { client, ends, breaks } = await control.joined();
    // 300 times this is tried for.
    client.startHeartbeats({ failureDetectionMs: 1, heartbeat });
    await control.stop();
    expect(await ends.atLeast(1)).toMatchObject([{ code: 'connection', message: expect.stringMatching(/tried for \d+ s to connect again/) }]);
    expect(breaks.entries.length).toBeGreaterThan(0);
    await expect(client.fetchBlock({ sha256: 'a'.repeat(64), numBytes: 1, path: '' }, never)).rejects.toMatchObject({ code: 'connection' });
  });

  it('says nothing after it was closed', async () => {
    await using control = await Control.start();
    const { client, ends, breaks } = await control.joined();
    await control.stop();
    await breaks.atLeast(1);
    client.close();
    const before = control.messages.entries.length;
    await control.comeBack();
    await control.joined();
    expect(control.messages.entries.slice(before)).toHaveLength(1);
    expect(ends.entries).toEqual([]);
  });
});

describe('a stream whose server falls silent', () => {
  it('breaks after the failure-detection time, says so, and is made anew', async () => {
    await using control = await Control.start();
    const { client, breaks, messages } = await control.joined();
    client.startHeartbeats({ failureDetectionMs: 200, heartbeat });
    expect(await breaks.atLeast(1)).toMatchObject([{ code: 'connection', message: expect.stringMatching(/silent for 0\.[2-9] s/) }]);
    await messages.atLeast(2);
    expect(await control.ended.atLeast(1)).toHaveLength(1);
  });

  it('stands while the server sends heartbeats', async () => {
    await using control = await Control.start();
    const { client, connection, breaks } = await control.joined();
    const beat = setInterval(() => connection.send({ heartbeat: {} }), 50);
    client.startHeartbeats({ failureDetectionMs: 400, heartbeat });
    // Twelve of the client's own are three times the failure-detection time.
    await control.messages.until((all) => all.filter(({ message }) => message.heartbeat).length >= 12);
    clearInterval(beat);
    expect(breaks.entries).toEqual([]);
  });
});

describe('a stream for whose sides something else stands', () => {
  it('hardly speaks, does not break, and answers whenever it is asked', async () => {
    await using control = await Control.start();
    const { client, connection, breaks } = await control.joined();
    const other = await control.joined();
    for (const each of [client, other.client]) each.startHeartbeats({ failureDetectionMs: 200, heartbeat, attestedMs: () => (each === client ? performance.now() : -Infinity) });
    await other.breaks.atLeast(1);
    other.client.close();
    const heartbeatsOf = (of: WorkerConnection) => control.messages.entries.filter((entry) => entry.connection === of && entry.message.heartbeat).length;
    const before = heartbeatsOf(connection);
    expect(before).toBeLessThan(heartbeatsOf(other.connection) / 2);
    // By itself it would take half a minute for so many.
    for (let asked = 0; asked < 40; asked += 1) connection.send({ heartbeat: {} });
    await control.messages.until(() => heartbeatsOf(connection) >= before + 40);
    expect(breaks.entries).toEqual([]);
  });
});

describe('a stream that was never welcomed', () => {
  it('finds a server that comes after it, and says once what it waits for', async () => {
    await using control = await Control.start();
    await control.stop();
    const { breaks, messages, ends } = control.join(control.addresses[1]);
    expect(await breaks.atLeast(1)).toMatchObject([{ code: 'connection', message: expect.stringContaining('ECONNREFUSED') }]);
    await control.comeBack();
    expect(await messages.atLeast(1)).toMatchObject([{ welcome: { runId: 'run' } }]);
    expect([breaks.entries.length, ends.entries.length]).toEqual([1, 0]);
  });
});

describe('a block', () => {
  const bytes = Buffer.alloc(32 * 1024 * 1024, 'lockstep');

  it('that is on its way when the server is killed comes whole once it is back', async () => {
    await using control = await Control.start();
    const { client } = await control.joined(control.addresses[1]);
    client.startHeartbeats({ failureDetectionMs: 60_000, heartbeat });
    const block = control.shelf.put(bytes);
    const fetching = client.fetchBlock(block, never);
    await control.shelf.reads.atLeast(1);
    await control.stop();
    await control.comeBack();
    expect((await fetching).equals(bytes)).toBe(true);
    expect(control.shelf.reads.entries.filter((read) => read === 'began')).toHaveLength(2);
  });

  it('that is asked for while the server is away comes once it is back', async () => {
    await using control = await Control.start();
    const { client, breaks } = await control.joined();
    const block = control.shelf.put(bytes);
    await control.stop();
    await breaks.atLeast(1);
    const fetching = client.fetchBlock(block, never);
    await control.comeBack();
    expect((await fetching).equals(bytes)).toBe(true);
  });

  it('is waited for only until the signal aborts, or the stream is closed', async () => {
    await using control = await Control.start();
    const { client, breaks } = await control.joined();
    const block = control.shelf.put(bytes);
    await control.stop();
    await breaks.atLeast(1);
    const abort = new AbortController();
    const fetching = client.fetchBlock(block, abort.signal);
    abort.abort(new Error('enough'));
    await expect(fetching).rejects.toThrow('enough');
    const another = client.fetchBlock(block, never);
    client.close();
    await expect(another).rejects.toMatchObject({ code: 'aborted' });
  });
});
