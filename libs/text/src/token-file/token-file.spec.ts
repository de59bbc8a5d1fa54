import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '@lockstep/core';
import { temporaryDirectory, type TemporaryDirectory } from '../testing/temporary-directory.ts';
import { openTokenFile } from './open-token-file.ts';
import { TokenFileWriter, type TokenFileDescription, type WrittenTokenFile } from './token-file-writer.ts';

const STREAM: TokenFileDescription = {
  layout: 'stream', vocabularySize: 257, rowLength: null, classNames: null, endOfText: 256, padding: null, tokenizer: { kind: 'bytes', sha256: null },
};
const [COUNTS, BEGINS, PADDING] = [1, 2, 4];

interface Contents {
  readonly tokens: readonly number[];
  readonly flags?: readonly number[];
  readonly labels?: readonly number[];
}

async function write(directory: TemporaryDirectory, description: TokenFileDescription, { tokens, flags, labels = [] }: Contents): Promise<WrittenTokenFile> {
  using writer = new TokenFileWriter(directory.file('text.tokens'), description);
  writer.appendTokens(tokens);
  if (flags !== undefined) writer.appendFlags(Uint8Array.from(flags));
  for (const label of labels) writer.appendLabel(label);
  return await writer.finish(tokens.length);
}

const vocabularySize = fc.constantFrom(257, 65_536, 65_537, 200_000);
const property = { seed: 7, numRuns: 60 };

/** Arrays of tokens, with how many the vocabulary has and the length of a row. */
const streams = vocabularySize.chain((size) => fc.record({ size: fc.constant(size), tokens: fc.array(fc.nat(size - 1), { maxLength: 200 }), rowLength: fc.integer({ min: 1, max: 20 }) }));

describe('a stream', () => {
  it('is read in rows that overlap by one token, in any order', async () => {
    await fc.assert(fc.asyncProperty(streams, async ({ size, tokens, rowLength }) => {
      using directory = temporaryDirectory();
      const { path } = await write(directory, { ...STREAM, vocabularySize: size }, { tokens });
      using file = openTokenFile(path);
      const numRows = Math.max(0, Math.floor((tokens.length - 1) / rowLength));
      expect(file.numRows(rowLength)).toBe(numRows);
      const rows = Array.from({ length: numRows }, (_, row) => row).reverse();
      const batch = file.readRows(rows, rowLength);
      expect([...batch.tokens]).toEqual(rows.flatMap((row) => tokens.slice(row * rowLength, (row + 1) * rowLength)));
      expect([...batch.targets]).toEqual(rows.flatMap((row) => tokens.slice(row * rowLength + 1, (row + 1) * rowLength + 1)));
      expect(batch.documents).toBeNull();
    }), property);
  });
});

const packed = fc.integer({ min: 2, max: 12 }).chain((rowLength) => fc.record({
  rowLength: fc.constant(rowLength),
  rows: fc.array(fc.array(fc.record({ token: fc.nat(256), flags: fc.constantFrom(0, COUNTS, BEGINS, COUNTS | BEGINS, PADDING, COUNTS | PADDING) }), { minLength: rowLength, maxLength: rowLength }), { minLength: 1, maxLength: 8 }),
}));

/** What a row says by the words of the format, position by position. */
function expectedRow(row: readonly { token: number; flags: number }[]): { targets: number[]; documents: number[] } {
  const begins = row.map((_, at) => row.slice(0, at + 1).filter(({ flags }) => (flags & BEGINS) > 0).length - 1);
  const targets = row.map((_, at) => {
    const next = row[at + 1];
    return next !== undefined && (next.flags & COUNTS) > 0 && (next.flags & PADDING) === 0 && begins[at + 1] === begins[at] ? next.token : -1;
  });
  return { targets, documents: row.map(({ flags }, at) => ((flags & PADDING) > 0 ? -1 : begins[at]!)) };
}

describe('packed rows', () => {
  it('give the targets that count, and the document of each position', async () => {
    await fc.assert(fc.asyncProperty(packed, async ({ rowLength, rows }) => {
      using directory = temporaryDirectory();
      const all = rows.flat();
      const { path } = await write(directory, { ...STREAM, layout: 'rows', rowLength, padding: 0 }, { tokens: all.map(({ token }) => token), flags: all.map(({ flags }) => flags) });
      using file = openTokenFile(path);
      const numbers = rows.map((_, row) => row).reverse();
      const batch = file.readRows(numbers, rowLength);
      const expected = numbers.map((row) => expectedRow(rows[row]!));
      expect([...batch.tokens]).toEqual(numbers.flatMap((row) => rows[row]!.map(({ token }) => token)));
      expect([...batch.targets]).toEqual(expected.flatMap(({ targets }) => targets));
      expect([...batch.documents!]).toEqual(expected.flatMap(({ documents }) => documents));
    }), property);
  });

  it('have one length', async () => {
    using directory = temporaryDirectory();
    const { path } = await write(directory, { ...STREAM, layout: 'rows', rowLength: 4, padding: 0 }, { tokens: [1, 2, 3, 4], flags: [2, 1, 1, 1] });
    using file = openTokenFile(path);
    expect(() => file.numRows(8)).toThrow(/text.tokens: rows of 4 tokens, expected 8/);
    expect(() => file.readRows([1], 4)).toThrow(RangeError);
    expect(() => file.readLabelled([0])).toThrow(/holds no labels \(layout rows\)/);
  });
});

describe('labelled rows', () => {
  it('give the text up to its padding, and the label', async () => {
    using directory = temporaryDirectory();
    const description: TokenFileDescription = { ...STREAM, layout: 'labelled', rowLength: 3, padding: 256, classNames: ['bad', 'good'] };
    const { path } = await write(directory, description, { tokens: [5, 256, 256, 1, 2, 3, 256, 256, 256], labels: [1, 0, 1] });
    using file = openTokenFile(path);
    const batch = file.readLabelled([1, 0, 2]);
    expect([...batch.tokens]).toEqual([1, 2, 3, 5, 256, 256, 256, 256, 256]);
    expect([...batch.documents]).toEqual([0, 0, 0, 0, -1, -1, 0, -1, -1]);
    expect([...batch.labels]).toEqual([0, 1, 1]);
    expect(file.header.classNames).toEqual(['bad', 'good']);
    expect(() => file.readRows([0], 3)).toThrow(/expected rows to predict tokens in/);
  });
});

describe('a token file', () => {
  it('has its sections at multiples of 64 bytes, for any header', async () => {
    using directory = temporaryDirectory();
    const { path } = await write(directory, { ...STREAM, layout: 'rows', rowLength: 5, padding: 0 }, { tokens: [1, 2, 3, 4, 5], flags: [2, 1, 1, 1, 1] });
    const bytes = readFileSync(path);
    expect(bytes.toString('latin1', 0, 8)).toBe('LSTOKN01');
    const tokens = Math.ceil((12 + bytes.readUInt32LE(8)) / 64) * 64;
    expect([...bytes.subarray(tokens, tokens + 10)]).toEqual([1, 0, 2, 0, 3, 0, 4, 0, 5, 0]);
    expect([...bytes.subarray(tokens + 64)]).toEqual([2, 1, 1, 1, 1]);
  });

  it('larger than any buffer holds what was appended, in parts of any size', async () => {
    using directory = temporaryDirectory();
    const [numRows, rowLength] = [1300, 1000];
    using writer = new TokenFileWriter(directory.file('text.tokens'), { ...STREAM, vocabularySize: 100_000, layout: 'rows', rowLength, padding: 0 });
    const tokens = Uint32Array.from({ length: numRows * rowLength }, (_, at) => (at * 7) % 100_000);
    for (let from = 0; from < tokens.length; from += 1234) writer.appendTokens(tokens.subarray(from, from + 1234));
    for (let from = 0; from < tokens.length; from += 4321) writer.appendFlags(new Uint8Array(Math.min(4321, tokens.length - from)).fill(COUNTS));
    const { path } = await writer.finish(tokens.length);
    using file = openTokenFile(path);
    const batch = file.readRows(Array.from({ length: numRows }, (_, row) => row), rowLength);
    expect(Buffer.compare(bytesOf(batch.tokens), bytesOf(tokens))).toBe(0);
    expect(batch.targets.filter((target) => target === -1)).toHaveLength(numRows);
  });

  it('leaves nothing behind that is not finished', () => {
    using directory = temporaryDirectory();
    expect(() => {
      using writer = new TokenFileWriter(directory.file('text.tokens'), { ...STREAM, layout: 'rows', rowLength: 5, padding: 0 });
      writer.appendTokens([1, 2, 3]);
      expect(readdirSync(directory.path)).toHaveLength(2);
      throw new Error('the input is damaged');
    }).toThrow('the input is damaged');
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('is refused by name wherever it is cut short', async () => {
    using directory = temporaryDirectory();
    const { path } = await write(directory, STREAM, { tokens: [1, 2, 3, 4, 5, 6, 7, 8] });
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length += 1) {
      const cut = directory.write('cut.tokens', whole.subarray(0, length));
      expect(() => openTokenFile(cut), `${length} bytes`).toThrow(/cut\.tokens: /);
    }
    expect(() => openTokenFile(directory.write('long.tokens', Buffer.concat([whole, Buffer.of(0)])))).toThrow(/long\.tokens: .* bytes, expected/);
  });

  it.each([
    ['another magic number', (bytes: Buffer) => bytes.write('PK', 0), /not a token file, for it does not begin with LSTOKN01/],
    ['an impossible header length', (bytes: Buffer) => bytes.writeUInt32LE(0xffffffff, 8), /a header of 4294967295 bytes/],
    ['a header that is no JSON', (bytes: Buffer) => bytes.write('x', 12), /the header of the token file is damaged/],
    ['another version', (bytes: Buffer) => bytes.write('9', bytes.indexOf('formatVersion') + 15), /damaged: .*formatVersion/],
    ['a layout that needs more', (bytes: Buffer) => bytes.write('"rows"  ', bytes.indexOf('"stream"')), /rowLength null in layout rows/],
  ])('is refused by name with %s', async (_, damage, message) => {
    using directory = temporaryDirectory();
    const { path } = await write(directory, STREAM, { tokens: [1, 2, 3] });
    const bytes = readFileSync(path);
    damage(bytes);
    directory.write('text.tokens', bytes);
    expect(() => openTokenFile(path)).toThrow(message);
    expect(() => openTokenFile(path)).toThrow(expect.objectContaining({ code: 'data', message: expect.stringContaining('text.tokens') as string }) as Error);
  });

  it('whose token is beyond the vocabulary is refused when it is read', async () => {
    using directory = temporaryDirectory();
    const { path } = await write(directory, STREAM, { tokens: [1, 2, 300] });
    using file = openTokenFile(path);
    expect(() => file.readRows([0], 2)).toThrow(/text.tokens: token 2 is 300, expected less than 257/);
  });

  it('that is missing is named', () => {
    expect(() => openTokenFile('no-such.tokens')).toThrow(expect.objectContaining({ code: 'not-found', message: 'no-such.tokens: no such file' }) as Error);
  });
});
