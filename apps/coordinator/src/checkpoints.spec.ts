import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunDirectory } from '@lockstep/checkpoint';
import { layOutParameters, runSchema } from '@lockstep/core';
import { planRun } from '@lockstep/scheduling';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoints } from './checkpoints.ts';

let runs: string;
beforeEach(() => { runs = mkdtempSync(join(tmpdir(), 'checkpoints-spec-')); });
afterEach(() => rmSync(runs, { recursive: true, force: true }));

async function checkpointsOf(stepsPerEpoch: number): Promise<Checkpoints> {
  return new Checkpoints({
    config: runSchema.parse({ failureDetectionMs: 2000, checkpoints: { everyMinutes: null } }), directory: await createRunDirectory(mkdtempSync(join(runs, 'runs-')), 'run'), runId: 'r', configSha256: '',
    layout: layOutParameters([{ name: 'bias', shape: [2], kind: 'trainable' }]), plan: planRun({ stepsPerEpoch, epochs: 2, maxSteps: null }), trainSamples: stepsPerEpoch,
    onWritten: () => undefined, onWarning: () => undefined,
  });
}

describe('a checkpoint that is wanted as soon as possible', () => {
  it('is asked for as far ahead as the shards get until they hear of it', async () => {
    const slow = await checkpointsOf(10_000);
    expect(slow.toAsk(100, 3, 0)).toBeNull();
    void slow.next();
    expect(slow.toAsk(100, 3, 0)).toBe(102);
    expect(slow.isWanted(102)).toBe(true);
    const fast = await checkpointsOf(10_000);
    void fast.next();
    expect(fast.toAsk(100, 400, 0)).toBe(200);
  });

  it('is asked for farther ahead when the shards were past it', async () => {
    const checkpoints = await checkpointsOf(10_000);
    void checkpoints.next();
    expect([checkpoints.toAsk(100, 400, 0), checkpoints.toAsk(300, 400, 999), checkpoints.toAsk(500, 400, 1000), checkpoints.toAsk(900, 400, 2000)]).toEqual([200, null, 700, 1300]);
  });

  it('is not asked for besides the last one', async () => {
    const checkpoints = await checkpointsOf(60);
    void checkpoints.next();
    expect(checkpoints.toAsk(100, 400, 0)).toBeNull();
  });
});
