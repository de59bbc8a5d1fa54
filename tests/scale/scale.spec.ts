import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockstep } from '../cli/lockstep.ts';
import { LockstepProcess } from '../support/processes.ts';

interface Memory {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

interface Row {
  readonly workers: number;
  readonly microBatches: number;
  readonly steps: number;
  readonly medianStepMs: number;
  readonly cpuMsAStep: number;
  readonly before: Memory;
  readonly after: Memory;
  readonly joinMs: number;
  readonly lostMs: number | null;
}

describe('lockstep bench scale', () => {
  it('measures real runs of light workers, and leaves nothing behind', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'scale-'));
    onTestFinished(() => rm(temporary, { recursive: true, force: true }));
    const args = ['bench', 'scale', '--workers', '1,3', '--steps', '20', '--compute-ms', '2', '--parameters', '100', '--processes', '2', '--json'];
    let json = '';
    const { exitCode, stderr } = await new LockstepProcess(args, { env: { TMPDIR: temporary }, onLine: (line) => { json += line; } }).ended;
    expect(exitCode, stderr).toBe(0);
    const { rows } = JSON.parse(json) as { readonly rows: readonly Row[] };
    expect(rows.map(({ workers, microBatches, steps }) => ({ workers, microBatches, steps }))).toEqual([
      { workers: 1, microBatches: 1, steps: 20 },
      { workers: 3, microBatches: 4, steps: 20 },
    ]);
    for (const { medianStepMs, cpuMsAStep, before, after, joinMs } of rows) {
      expect(medianStepMs).toBeGreaterThanOrEqual(2);
      expect(cpuMsAStep).toBeGreaterThan(0);
      expect(joinMs).toBeGreaterThan(0);
      for (const { residentBytes, heapBytes } of [before, after]) expect(residentBytes).toBeGreaterThan(heapBytes);
    }
    // Of the only worker, nobody is left to make its step; of three, somebody computes the lost part again.
    expect(rows[0]?.lostMs).toBeNull();
    expect(rows[1]?.lostMs).toBeGreaterThanOrEqual(2);
    expect((await readdir(temporary)).filter((name) => name.startsWith('lockstep'))).toEqual([]);
  });

  it.each([
    ['--workers', '0', 'got "0", expected whole numbers from 1 to 1024'],
    ['--workers', '1,,2', 'got "", expected whole numbers from 1 to 1024'],
    ['--workers', '2000', 'got "2000", expected whole numbers from 1 to 1024'],
    ['--compute-ms', '-1', 'got "-1", expected milliseconds from 0'],
    ['--steps', '0', 'got "0", expected a whole number from 1'],
  ])('refuses %s %s', async (option, value, message) => {
    const { exitCode, stderr } = await lockstep('bench', 'scale', `${option}=${value}`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
