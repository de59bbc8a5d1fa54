import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256, type Numerics } from '@lockstep/core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareReceipts } from './receipt-comparison.ts';
import { readReceipts } from './receipt-reader.ts';
import { openReceiptWriter } from './receipt-writer.ts';
import type { Receipt, ReceiptLine, StepReceipt } from './receipts.ts';

const numerics: Numerics = {
  engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX2', deterministicOps: true,
};
const run: Receipt = { kind: 'run', formatVersion: 1, configSha256: sha256('config'), numerics, seed: 42, wire: 'float32', parameterWire: 'float32', parameters: 7 };
const stepAt = (step: number, change: Partial<StepReceipt> = {}): StepReceipt => ({
  kind: 'step', step, version: step + 1, loss: Math.exp(-step) / 3, accuracy: 0.5, numExamples: 256, numCorrect: 128, lossSum: 256 * Math.exp(-step) / 3,
  digests: '0123abcd00000001', parametersSha256: null, ...change,
});
const end: Receipt = { kind: 'end', version: 3, parametersSha256: sha256('end') };
const receipts = [run, stepAt(0), stepAt(1, { parametersSha256: sha256('1') }), stepAt(2), end];

let directory: string;
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-receipts-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

async function written(name: string, records: readonly Receipt[]): Promise<string> {
  const path = join(directory, name);
  const { writer } = await openReceiptWriter(path, { resumeAt: 'end', stepsPerEpoch: 2 });
  for (const record of records) writer.write(record);
  await writer.close();
  return path;
}

const read = (path: string): Promise<ReceiptLine[]> => Array.fromAsync(readReceipts(path));

describe('receipts on disk', () => {
  it('come back as written, every bit of a loss', async () => {
    const losses = [0.1 + 0.2, 5e-324, Number.MAX_VALUE, 1 / 3].map((loss, step) => stepAt(step, { loss }));
    expect(await read(await written('losses.jsonl', [run, ...losses, end]))).toEqual([run, ...losses, end]);
  });

  it('are appended to, so that a run can go on', async () => {
    const path = await written('append.jsonl', receipts.slice(0, 2));
    await written('append.jsonl', receipts.slice(2));
    expect(await read(path)).toEqual(receipts);
  });

  it('name a torn last line', async () => {
    const path = await written('torn.jsonl', receipts.slice(0, 2));
    await appendFile(path, '{"kind":"step","st');
    expect(await read(path)).toEqual([...receipts.slice(0, 2), { kind: 'torn', line: 3, text: '{"kind":"step","st' }]);
  });

  it('name file and line of a damaged record', async () => {
    const path = join(directory, 'damaged.jsonl');
    await writeFile(path, `${JSON.stringify(run)}\n{"kind":"step","step":"0"}\n`);
    await expect(read(path)).rejects.toThrow(`${path}:2: not a receipt: {"kind":"step","step":"0"}`);
    await expect(read(join(directory, 'none.jsonl'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('report a file that cannot be written', async () => {
    await expect(openReceiptWriter(join(directory, 'none', 'receipts.jsonl'), { resumeAt: null, stepsPerEpoch: 1 })).rejects.toMatchObject({ code: 'storage' });
  });

  it('are on the disk once they are synced', async () => {
    const path = join(directory, 'synced.jsonl');
    const { writer } = await openReceiptWriter(path, { resumeAt: null, stepsPerEpoch: 2 });
    for (const record of receipts.slice(0, 3)) writer.write(record);
    await writer.sync();
    expect(await read(path)).toEqual(receipts.slice(0, 3));
    writer.write(receipts[3]!);
    await writer.close();
    expect(await read(path)).toEqual(receipts.slice(0, 4));
  });

  it('name a line that is too long to be one, without taking it in whole', async () => {
    const path = join(directory, 'long.jsonl');
    await writeFile(path, Buffer.alloc(3_000_000, 'x'));
    await expect(read(path)).rejects.toThrow(`${path} is damaged: a line is longer than 1048576 bytes`);
  });
});

describe('the receipts of a run that is resumed', () => {
  const steps = Array.from({ length: 5 }, (_, step) => stepAt(step, { lossSum: [0.1, 0.2, 0.3, 1e16, 1][step]!, ...(step === 3 ? { numNonFinite: 2 } : {}) }));
  const whole = [run, ...steps, { ...end, version: 5 } as Receipt];
  const tally = (numSteps: number, lossSum: number, numNonFinite = 0) => ({ numExamples: 256 * numSteps, numCorrect: 128 * numSteps, lossSum, numNonFinite });
  const resume = async (path: string, resumeAt: number | 'end' | null) => {
    const { writer, kept } = await openReceiptWriter(path, { resumeAt, stepsPerEpoch: 3 });
    await writer.close();
    return kept;
  };

  it('are cut off after the version, and summed up by epoch in step order', async () => {
    const path = await written('resumed.jsonl', whole);
    expect(await resume(path, 4)).toEqual({
      hasRun: true, numSteps: 4, numExamples: 1024,
      epochTallies: new Map([[0, tally(3, 0.1 + 0.2 + 0.3)], [1, tally(1, 1e16, 2)]]),
    });
    expect(await read(path)).toEqual(whole.slice(0, 5));
    expect((await resume(path, 2)).epochTallies).toEqual(new Map([[0, tally(2, 0.1 + 0.2)]]));
    expect(await resume(path, 0)).toEqual({ hasRun: true, numSteps: 0, numExamples: 0, epochTallies: new Map() });
    expect(await read(path)).toEqual([run]);
  });

  it('are the same bytes as had it never stopped, wherever it was cut off', async () => {
    const path = await written('whole.jsonl', whole);
    const expected = await readFile(path);
    for (let cut = 0; cut <= expected.length; cut += 97) {
      const resumed = join(directory, 'cut.jsonl');
      await writeFile(resumed, expected.subarray(0, cut));
      const { writer, kept } = await openReceiptWriter(resumed, { resumeAt: 'end', stepsPerEpoch: 3 });
      const numKept = (await read(resumed)).length;
      expect(kept.numSteps, `cut at ${cut}`).toBe(Math.min(5, Math.max(0, numKept - 1)));
      for (const record of whole.slice(numKept)) writer.write(record);
      await writer.close();
      expect(await readFile(resumed), `cut at ${cut}`).toEqual(expected);
    }
  });

  it('keep even the end where all is to be kept, and nothing where the run is new', async () => {
    const path = await written('kept.jsonl', whole);
    expect(await resume(path, 'end')).toMatchObject({ numSteps: 5 });
    expect(await read(path)).toEqual(whole);
    expect(await resume(path, 5)).toMatchObject({ numSteps: 5 });
    expect(await read(path)).toEqual(whole.slice(0, 6));
    expect(await resume(path, null)).toMatchObject({ hasRun: false, numSteps: 0 });
    expect(await readFile(path, 'utf8')).toBe('');
  });

  it('may be damaged only where they are cut off', async () => {
    const path = await written('damaged-tail.jsonl', whole.slice(0, 4));
    await appendFile(path, Buffer.alloc(500));
    await appendFile(path, '\n');
    expect(await resume(path, 3)).toMatchObject({ numSteps: 3 });
    expect(await read(path)).toEqual(whole.slice(0, 4));
    await appendFile(path, 'no receipt\n');
    await expect(resume(path, 4)).rejects.toMatchObject({ code: 'storage', message: `${path}:5: not a receipt: no receipt` });
  });

  it('are refused where a step is missing, and say how far they go', async () => {
    const path = await written('hole.jsonl', whole.filter((record) => record.kind !== 'step' || record.step !== 1));
    await expect(resume(path, 4)).rejects.toMatchObject({ code: 'storage', message: `${path}:3: step 2, expected 1` });
    expect(await resume(await written('short.jsonl', whole.slice(0, 3)), 4)).toMatchObject({ numSteps: 2 });
    expect(await resume(join(directory, 'never.jsonl'), 4)).toMatchObject({ numSteps: 0, hasRun: false });
  });
});

it('whatever is in a receipts file, a reader gives records or names the place', async () => {
  const path = join(directory, 'fuzz.jsonl');
  const text = Buffer.from(receipts.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.array(fc.tuple(fc.nat(text.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map((changes) => {
      const bytes = new Uint8Array(text);
      for (const [at, byte] of changes) bytes[at] = byte;
      return bytes;
    }),
    fc.json().map((json) => Buffer.from(`${json}\n`)),
  );
  await fc.assert(fc.asyncProperty(garbage, async (bytes) => {
    await writeFile(path, bytes);
    const outcome = await read(path).catch((error: unknown) => error);
    if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ name: 'LockstepError', code: 'storage', message: expect.stringContaining(path) as string });
  }), { numRuns: 300, seed: 11 });
});

describe('compareReceipts', () => {
  const next = (value: number) => {
    const bits = new BigUint64Array(new Float64Array([value]).buffer);
    bits[0] = bits[0]! ^ 1n;
    return new Float64Array(bits.buffer)[0]!;
  };
  const changed = (index: number, change: Partial<StepReceipt>) => receipts.map((record, at) => (at === index ? { ...record, ...change } as Receipt : record));
  const loss = stepAt(1).loss;

  it('says that runs are the same, and how many steps they have', async () => {
    expect(await compareReceipts(receipts, [...receipts])).toEqual({ same: true, steps: 3, ended: true });
    expect(await compareReceipts(receipts.slice(0, 3), receipts.slice(0, 3))).toEqual({ same: true, steps: 2, ended: false });
    expect(await compareReceipts(receipts, [{ ...run, configSha256: sha256('other') }, ...receipts.slice(1)])).toMatchObject({ same: true });
  });

  it('counts a hash only where both took one', async () => {
    expect(await compareReceipts(receipts, changed(2, { parametersSha256: null }))).toMatchObject({ same: true });
  });

  it('names the micro-batches whose gradients differ before all else that differs', async () => {
    const other = changed(2, { loss: next(loss), lossSum: 1, digests: '0123abcd00000002', parametersSha256: sha256('x') });
    const firstDifference = { step: 1, field: 'digests', microBatches: [1], a: '00000001', b: '00000002' };
    expect(await compareReceipts(receipts, other)).toEqual({ same: false, firstDifference });
    expect(await compareReceipts(receipts, changed(2, { digests: '1123abcd00000002' }))).toMatchObject({ firstDifference: { microBatches: [0, 1], a: '0123abcd', b: '1123abcd' } });
    expect(await compareReceipts(receipts, changed(2, { digests: '0123abcd' }))).toMatchObject({ firstDifference: { field: 'microBatches', a: 2, b: 1 } });
  });

  it('counts digests only where both took them', async () => {
    expect(await compareReceipts(receipts, changed(2, { digests: '' }))).toMatchObject({ same: true });
  });

  it.each<[string, ReceiptLine[], object]>([
    ['one bit of a loss', changed(2, { loss: next(loss) }), { step: 1, field: 'loss', a: loss, b: next(loss) }],
    ['a hash', changed(2, { parametersSha256: sha256('x') }), { step: 1, field: 'parametersSha256', a: sha256('1'), b: sha256('x') }],
    ['an accuracy that only one has', receipts.map((record) => (record.kind === 'step' && record.step === 0 ? { ...record, accuracy: undefined } as never : record)), { step: 0, field: 'accuracy', a: 0.5, b: null }],
    ['one bit of a loss sum', changed(2, { lossSum: next(stepAt(1).lossSum) }), { step: 1, field: 'lossSum', a: stepAt(1).lossSum, b: next(stepAt(1).lossSum) }],
    ['a bad micro-batch', changed(2, { numNonFinite: 1 }), { step: 1, field: 'numNonFinite', a: null, b: 1 }],
    ['the number of examples', changed(3, { numExamples: 96 }), { step: 2, field: 'numExamples', a: 256, b: 96 }],
    ['the final hash', [...receipts.slice(0, 4), { ...end, parametersSha256: sha256('y') } as Receipt], { step: 3, field: 'parametersSha256', a: sha256('end'), b: sha256('y') }],
    ['a run that breaks off', receipts.slice(0, 3), { step: 2, field: 'record', a: 'step', b: null }],
    ['a run that ends sooner', [...receipts.slice(0, 3), end], { step: 2, field: 'record', a: 'step', b: 'end' }],
    ['a torn last line', [...receipts.slice(0, 3), { kind: 'torn', line: 4, text: '{' }], { step: 2, field: 'record', a: 'step', b: null }],
  ])('finds %s', async (_, other, firstDifference) => {
    expect(await compareReceipts(receipts, other)).toEqual({ same: false, firstDifference: { microBatches: [], ...firstDifference } });
  });
});
