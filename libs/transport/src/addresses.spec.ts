import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { bindAll, channelTarget, isLocal, parseHostPort, requireLocalOrInsecure } from './addresses.ts';

it.each([
  ['127.0.0.1:7077', '127.0.0.1', 7077],
  ['gpu-b.example:0', 'gpu-b.example', 0],
  ['[::1]:65535', '::1', 65535],
  ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
])('reads %s', (address, host, port) => {
  expect(parseHostPort(address)).toEqual({ host, port });
});

it.each(['', 'localhost', ':7077', 'localhost:', 'localhost:65536', 'localhost:-1', 'localhost:http', '::1:7077', '[]:1', 'a:b:1', 'a:1 '])('refuses "%s" as a user\'s mistake', (address) => {
  expect(() => parseHostPort(address)).toThrow(expect.objectContaining({ code: 'usage', message: `got address "${address}", expected HOST:PORT`, exitCode: 2 }));
});

it.each(['unix:/run/lockstep.sock', 'localhost:1', '127.0.0.1:1', '127.9.8.7:1', '[::1]:1'])('%s is this machine\'s alone', (address) => {
  expect(isLocal(address)).toBe(true);
  expect(() => requireLocalOrInsecure(address, false)).not.toThrow();
});

it.each(['0.0.0.0:1', '[::]:1', '10.0.0.1:1', 'gpu-b:1', '127.0.0.1.evil.example:1', '[::ffff:10.0.0.1]:1'])('%s can be reached by others, which takes --insecure', (address) => {
  expect(isLocal(address)).toBe(false);
  expect(() => requireLocalOrInsecure(address, false)).toThrow(expect.objectContaining({ code: 'usage', hint: expect.stringContaining('--insecure') }));
  expect(() => requireLocalOrInsecure(address, true)).not.toThrow();
});

it('dials a name through DNS and a socket as it is', () => {
  expect(channelTarget('localhost:1')).toBe('dns:localhost:1');
  expect(channelTarget('unix:/a')).toBe('unix:/a');
});

it('binds all addresses, says which ports it got, and keeps a socket to its owner', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'addresses-spec-'));
  const server = new Server();
  const path = join(directory, 'a.sock');
  const [unix, tcp] = await bindAll(server, [`unix:${path}`, '127.0.0.1:0'], ServerCredentials.createInsecure());
  expect(unix).toBe(`unix:${path}`);
  expect(parseHostPort(tcp!).port).toBeGreaterThan(0);
  expect(statSync(path).mode & 0o777).toBe(0o600);

  const second = new Server();
  await expect(bindAll(second, [tcp!], ServerCredentials.createInsecure())).rejects.toMatchObject({
    code: 'connection', message: expect.stringContaining(`cannot listen on ${tcp}`), hint: expect.stringContaining('another port'),
  });
  for (const each of [server, second]) each.forceShutdown();
  rmSync(directory, { recursive: true });
});
