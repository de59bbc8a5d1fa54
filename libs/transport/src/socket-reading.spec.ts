import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { sha256, uniformStream } from '@lockstep/core';
import { adopt } from './socket-reading.ts';

/** A server whose sockets are adopted and collect what arrives. */
async function startServer(collected: Buffer[][]) {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (accepted) => {
    const parts: Buffer[] = [];
    collected.push(parts);
    sockets.push(adopt(accepted, (bytes) => parts.push(Buffer.from(bytes))));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, sockets, port: (server.address() as AddressInfo).port };
}

function anyBytes(seed: number, length: number): Buffer {
  const draw = uniformStream(seed);
  return Buffer.from(Array.from({ length }, () => Math.floor(draw() * 256)));
}

it('gives what several peers send at once, each its own bytes in order, and their ends', async () => {
  const collected: Buffer[][] = [];
  const { server, sockets, port } = await startServer(collected);
  const sent = [1, 2, 3].map((seed) => anyBytes(seed, 700_000));
  const peers = sent.map((bytes) => connect(port, '127.0.0.1').end(bytes));
  await Promise.all(peers.map((peer) => once(peer.resume(), 'close')));
  expect(sockets).toHaveLength(3);
  await Promise.all(sockets.filter(({ closed }) => !closed).map((socket) => once(socket, 'close')));
  expect(collected.map((parts) => sha256(Buffer.concat(parts))).toSorted()).toEqual(sent.map((bytes) => sha256(bytes)).toSorted());
  server.close();
});

it('answers on the same connection, and breaks it when it is destroyed', async () => {
  const { server, sockets, port } = await startServer([]);
  const peer = connect(port, '127.0.0.1').setEncoding('utf8');
  await once(server, 'connection');
  sockets[0]!.write('an answer');
  expect(await once(peer, 'data')).toEqual(['an answer']);
  sockets[0]!.destroy();
  await once(peer, 'close');
  server.close();
});

it('reads a socket without a handle as servers do', async () => {
  const accepted = new PassThrough();
  accepted.pause();
  const parts: Buffer[] = [];
  expect(adopt(accepted as unknown as Socket, (bytes) => parts.push(bytes))).toBe(accepted);
  accepted.end('some bytes');
  await once(accepted, 'end');
  expect(Buffer.concat(parts).toString()).toBe('some bytes');
});
