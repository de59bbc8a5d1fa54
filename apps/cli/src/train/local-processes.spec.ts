import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { describeEnd, LocalProcesses, type ProcessEnd } from './local-processes.ts';

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

it('tells of the end of each process, with its last words', { timeout: 60_000 }, async () => {
  const ends = Promise.withResolvers<readonly ProcessEnd[]>();
  const told: ProcessEnd[] = [];
  const processes = new LocalProcesses({
    count: 2,
    args: ['worker', '--engine', 'javascript', '--join', `127.0.0.1:${await freePort()}`],
    onExit: (end) => {
      told.push(end);
      if (told.length === 2) ends.resolve(told);
    },
  });
  for (const end of await ends.promise) {
    expect(end).toMatchObject({ code: 1, signal: null, lastWords: expect.stringContaining('127.0.0.1') });
    expect(describeEnd('a worker', end)).toContain(`a worker (process ${end.pid}) ended with exit code 1:\n`);
  }
  expect(new Set(told.map(({ pid }) => pid)).size).toBe(2);
  await processes.stop(0);
});

it('leaves no process behind when its own is killed', { timeout: 60_000 }, async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const program = `
    const { LocalProcesses } = await import(${JSON.stringify(new URL('local-processes.ts', import.meta.url).href)});
    new LocalProcesses({ count: 1, args: ['worker', '--engine', 'javascript', '--join', '127.0.0.1:${port}'], onExit: console.error });
    setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [socket] = await once(silent, 'connection') as [Socket];
  const closed = Promise.withResolvers<void>();
  socket.on('error', () => undefined).once('close', () => closed.resolve()).resume();
  parent.kill('SIGKILL');
  const killedMs = performance.now();
  await closed.promise;
  // The worker itself gives a coordinator that says nothing 10 s.
  expect(performance.now() - killedMs).toBeLessThan(8_000);
  silent.close();
});
