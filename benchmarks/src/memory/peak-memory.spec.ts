import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { peakMemory } from './peak-memory.ts';

const MIB = 1024 * 1024;

it('is the most that a process and those it starts have had, though they have given it back', async () => {
  const child = `const held = Buffer.alloc(${200 * MIB}, 1); process.send(held.length)`;
  const parent = `const { fork } = require('node:child_process');
    fork(process.argv[1], ['worker'], { execArgv: ['--eval', ${JSON.stringify(`${child}; process.on('message', () => process.exit())`)}] }).on('message', () => process.send('held'));
    process.on('message', () => process.exit());`;
  const started = spawn(process.execPath, ['--eval', parent, 'root'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const until = new AbortController();
  const peaks = peakMemory(started.pid!, until.signal);
  await once(started, 'message');
  until.abort();
  const measured = await peaks;
  started.kill();
  expect(measured.get('worker')).toBeGreaterThan(200 * MIB);
  expect(measured.get('coordinator')).toBeLessThan(200 * MIB);
});
