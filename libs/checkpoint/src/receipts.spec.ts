import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256, type Numerics } from '@lockstep/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareReceipts } from './receipt-comparison.ts';
import { readReceipts } from './receipt-reader.ts';
import { createReceiptWriter } from './receipt-writer.ts';
import type { Receipt, ReceiptLine, StepReceipt } from './receipts.ts';

const numerics: Numerics = {
  engineBuild: 'tensorflow 2.21.0 cpu', device: 'cpu', gpuKind: null, intraOpThreads: 1, oneDnn: true, instructionSet: 'AVX2', deterministicOps: true,
};
const run: Receipt = { kind: 'run', formatVersion: 1, configSha256: sha256('config'), numerics, seed: 42, parameters: 7 };
const stepAt = (step: number, change: Partial<StepReceipt> = {}): StepReceipt =>
  ({ kind: 'step', step, version: step + 1, loss: Math.exp(-step) / 3, accuracy: 0.5, numExamples: 256, parametersSha256: null, ...change });
const end: Receipt = { kind: 'end', version: 3, parametersSha256: sha256('end') };
const receipts = [run, stepAt(0), stepAt(1, { parametersSha256: sha256('1') }), stepAt(2), end];

let directory: string;
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-receipts-')); });
afterAll(() => rm(directory, { recursive: true, force: true }));

async function written(name: string, records: readonly Receipt[]): Promise<string> {
  const path = join(directory, name);
  const writer = createReceiptWriter(path);
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
    const writer = createReceiptWriter(join(directory, 'none', 'receipts.jsonl'));
    await expect(writer.close()).rejects.toMatchObject({ code: 'storage' });
  });
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

  it.each<[string, ReceiptLine[], object]>([
    ['one bit of a loss', changed(2, { loss: next(loss) }), { step: 1, field: 'loss', a: loss, b: next(loss) }],
    ['a hash', changed(2, { parametersSha256: sha256('x') }), { step: 1, field: 'parametersSha256', a: sha256('1'), b: sha256('x') }],
    ['an accuracy that only one has', receipts.map((record) => (record.kind === 'step' && record.step === 0 ? { ...record, accuracy: undefined } as never : record)), { step: 0, field: 'accuracy', a: 0.5, b: null }],
    ['the number of examples', changed(3, { numExamples: 96 }), { step: 2, field: 'numExamples', a: 256, b: 96 }],
    ['the final hash', [...receipts.slice(0, 4), { ...end, parametersSha256: sha256('y') } as Receipt], { step: 3, field: 'parametersSha256', a: sha256('end'), b: sha256('y') }],
    ['a run that breaks off', receipts.slice(0, 3), { step: 2, field: 'record', a: 'step', b: null }],
    ['a run that ends sooner', [...receipts.slice(0, 3), end], { step: 2, field: 'record', a: 'step', b: 'end' }],
    ['a torn last line', [...receipts.slice(0, 3), { kind: 'torn', line: 4, text: '{' }], { step: 2, field: 'record', a: 'step', b: null }],
  ])('finds %s', async (_, other, firstDifference) => {
    expect(await compareReceipts(receipts, other)).toEqual({ same: false, firstDifference });
  });
});
