import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Finding } from '../doctor/finding.ts';
import { checkDisk, checkNode, checkPorts, checkProcessor, checkSharedMemory } from '../doctor/machine.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const HEALTHY_CHECKS = ['node', 'engine', 'threads', 'gpus', 'ports', 'shared memory', 'disk'];

/** Runs `lockstep doctor --json` in a process with these changes to its environment. */
async function doctor(environment: NodeJS.ProcessEnv): Promise<{ code: number; healthy: boolean; findings: Finding[] }> {
  const run = promisify(execFile)(process.execPath, [MAIN, 'doctor', '--json'], { env: { ...process.env, ...environment } });
  const { stdout, code } = await run.then(({ stdout }) => ({ stdout, code: 0 }), (error: { stdout: string; code: number }) => error);
  return { code, ...(JSON.parse(stdout) as { healthy: boolean; findings: Finding[] }) };
}

test('a machine that is set up has an engine that computes, and is healthy', async () => {
  const { code, healthy, findings } = await doctor({});
  expect(findings.filter(({ state }) => state === 'broken')).toEqual([]);
  expect(findings.map(({ check }) => check)).toEqual(HEALTHY_CHECKS);
  expect(findings[1]?.found).toMatch(/^tensorflow \d+\.\d+\.\d+ (cpu|gpu), loaded and computing/);
  expect({ code, healthy }).toEqual({ code: 0, healthy: true });
});

test('what is broken is named with its remedy, and the exit code is 1', async () => {
  const { code, healthy, findings } = await doctor({ TMPDIR: '/dev/null/directory' });
  expect({ code, healthy }).toEqual({ code: 1, healthy: false });
  expect(findings.filter(({ state }) => state === 'broken')).toEqual([
    { check: 'ports', state: 'broken', found: expect.stringContaining('/dev/null/directory') as string, remedy: expect.stringContaining('TMPDIR') as string },
  ]);
});

test('Node older than 24 is broken', () => {
  expect(checkNode('22.18.0')).toMatchObject({ state: 'broken', found: expect.stringContaining('22.18.0') as string });
  expect(checkNode('24.0.0')).toMatchObject({ state: 'ok' });
});

test('one core is worth a note', () => {
  expect(checkProcessor('AVX2', 1)).toMatchObject({ state: 'note' });
  expect(checkProcessor('AVX2', 8)).toMatchObject({ state: 'ok', found: expect.stringMatching(/^8 cores .*AVX2/) as string });
});

test('missing shared memory is a note, for tensors then go over sockets; a missing disk is broken', async () => {
  expect(await checkSharedMemory('/no-such-directory')).toMatchObject({ state: 'note', remedy: expect.stringContaining('sockets') as string });
  expect(await checkDisk('/no-such-directory')).toMatchObject({ state: 'broken' });
});

test('probing a disk leaves nothing behind', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'doctor-spec-'));
  try {
    expect(await checkDisk(directory)).toMatchObject({ state: 'ok' });
    expect(await readdir(directory)).toEqual([]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a loopback port and a socket can be opened here', async () => {
  expect(await checkPorts()).toMatchObject({ state: 'ok' });
});
