import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { end, epoch, start, step } from '../run-events.fixture.ts';
import { EventMessage } from './event-schema.ts';
import { createTensorBoard } from './tensor-board.ts';
import { frameRecord } from './tf-record.ts';

/** CRC-32C bit by bit (RFC 3720, appendix B.4), then TensorFlow's mask: written apart from the code under test. */
function maskedChecksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  const value = BigInt((crc ^ 0xffffffff) >>> 0);
  return Number((((value >> 15n) | (value << 17n)) + 0xa282ead8n) & 0xffffffffn);
}

/** The data of each record of a file, every length and checksum of which must hold. */
function readRecords(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  let offset = 0;
  while (offset < file.length) {
    const length = Number(file.readBigUInt64LE(offset));
    const data = file.subarray(offset + 12, offset + 12 + length);
    expect(file.readUInt32LE(offset + 8)).toBe(maskedChecksum(file.subarray(offset, offset + 8)));
    expect(file.readUInt32LE(offset + 12 + length)).toBe(maskedChecksum(data));
    records.push(data);
    offset += 16 + length;
  }
  return records;
}

let directory: string;
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'lockstep-tensorboard-')); });
afterEach(() => rm(directory, { recursive: true }));

describe('createTensorBoard', () => {
  it('writes an event file: its version, then scalars by step', async () => {
    const sink = createTensorBoard(directory);
    [start, step(0), step(1), epoch(0, { loss: 0.5, accuracy: 0.75 }), end].forEach((event) => sink.write(event));
    await sink.close();

    const [name] = await readdir(directory);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const [version, first, second, validated, ...others] = readRecords(await readFile(join(directory, name!)))
      .map((record) => EventMessage.toObject(EventMessage.decode(record), { longs: Number, defaults: false }));
    expect(version).toEqual({ wallTime: expect.any(Number), fileVersion: 'brain.Event:2' });
    expect(first).toEqual({ wallTime: expect.any(Number), summary: { value: [
      { tag: 'train/loss', simpleValue: 1 },
      { tag: 'train/accuracy', simpleValue: 0 },
      { tag: 'train/learning_rate', simpleValue: Math.fround(0.001) },
      { tag: 'train/examples_per_second', simpleValue: 3200 },
    ] } });
    expect(second).toMatchObject({ step: 1 });
    expect(validated).toMatchObject({ step: 99, summary: { value: [
      { tag: 'epoch/loss', simpleValue: 0.25 },
      { tag: 'epoch/accuracy', simpleValue: Math.fround(0.9) },
      { tag: 'validation/loss', simpleValue: 0.5 },
      { tag: 'validation/accuracy', simpleValue: 0.75 },
    ] } });
    expect(others).toEqual([]);
  });
});

describe('frameRecord', () => {
  it('gives the bytes of TensorBoard’s own record writer', () => {
    // Python, tensorboard 2.21: RecordWriter(file).write(b'lockstep')
    expect(frameRecord(Buffer.from('lockstep')).toString('hex')).toBe('0800000000000000ff86240f6c6f636b73746570d7adff72');
  });
});
