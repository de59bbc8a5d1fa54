import { createServer, connect, type Socket } from 'node:net';
import { rmSync } from 'node:fs';
import { once } from 'node:events';

/**
 * Half of the same exchange over a plain socket, as little as Node can do: sends the other process its half of the
 * vector, adds what comes to the own half, sends that back and takes the other's.
 */
const [role = '', address = '', numFloats = '', numSteps = ''] = process.argv.slice(2);
const half = Number(numFloats) / 2;
const vector = new Float32Array(Number(numFloats)).fill(1);
const [own, others] = role === 'listen' ? [vector.subarray(0, half), vector.subarray(half)] : [vector.subarray(half), vector.subarray(0, half)];
const bytesOf = (floats: Float32Array): Uint8Array => new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
const arriving = new Float32Array(half);

const socket = role === 'listen' ? await accepted() : connect(addressOf());
socket.setNoDelay(true);
const taker = takeInto(socket);
const milliseconds: number[] = [];
for (let step = 0; step < Number(numSteps); step += 1) {
  const startMs = performance.now();
  socket.write(bytesOf(others));
  await taker(bytesOf(arriving));
  for (let index = 0; index < half; index += 1) own[index] = own[index]! + arriving[index]!;
  socket.write(bytesOf(own).slice());
  await taker(bytesOf(others));
  milliseconds.push(performance.now() - startMs);
}
socket.end();
process.disconnect();
if (role === 'listen') process.stdout.write(JSON.stringify(milliseconds));

function addressOf(): { readonly path: string } | { readonly port: number; readonly host: string } {
  const [host = '', port] = address.split(':');
  return port === undefined ? { path: address } : { host, port: Number(port) };
}

async function accepted(): Promise<Socket> {
  if (address.startsWith('/')) rmSync(address, { force: true });
  const server = createServer();
  server.listen(addressOf());
  await once(server, 'listening');
  const bound = server.address();
  process.send?.(typeof bound === 'string' ? bound : `${bound?.address}:${bound?.port}`);
  const [other] = await once(server, 'connection') as [Socket];
  server.close();
  return other;
}

/** Fills a part of memory from the socket, one after another. */
function takeInto(source: Socket): (destination: Uint8Array) => Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  return async (destination) => {
    let filled = 0;
    for (;;) {
      const part = rest.subarray(0, destination.length - filled);
      destination.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled === destination.length) return;
      rest = (source.read() as Buffer | null) ?? (await readable(source));
    }
  };
}

async function readable(source: Socket): Promise<Buffer> {
  await once(source, 'readable');
  return (source.read() as Buffer | null) ?? Buffer.alloc(0);
}
