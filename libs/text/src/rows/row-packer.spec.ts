import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TOKEN_FLAGS } from '../token-file/token-file-header.ts';
import type { EncodedSample } from './encoded-sample.ts';
import { RowPacker, type PackedRow } from './row-packer.ts';

const PADDING = 999;

const samples = fc.array(fc.array(fc.record({ token: fc.nat(900), counts: fc.boolean() }), { minLength: 1, maxLength: 14 }), { maxLength: 40 })
  .map((lists) => lists.map((list): EncodedSample => ({ tokens: list.map(({ token }) => token), counts: list.map(({ counts }) => counts) })));

function pack(all: readonly EncodedSample[], rowLength: number, maxOpenRows = 256): { rows: PackedRow[]; cut: boolean[] } {
  const rows: PackedRow[] = [];
  const packer = new RowPacker({ rowLength, padding: PADDING, maxOpenRows }, (row) => rows.push(row));
  const cut = all.map((sample) => packer.add(sample));
  packer.finish();
  return { rows, cut };
}

/** The samples of a row, as texts. */
function unpack({ tokens, flags }: PackedRow): string[] {
  const found: string[][] = [];
  tokens.forEach((token, at) => {
    const flag = flags[at]!;
    if ((flag & TOKEN_FLAGS.padding) !== 0) return;
    if ((flag & TOKEN_FLAGS.beginsDocument) !== 0) found.push([]);
    found.at(-1)!.push(`${token}${(flag & TOKEN_FLAGS.counts) !== 0 ? '!' : ''}`);
  });
  return found.map((sample) => sample.join(' '));
}

const asText = ({ tokens, counts }: EncodedSample, rowLength: number): string => tokens.slice(0, rowLength).map((token, at) => `${token}${at > 0 && counts[at] ? '!' : ''}`).join(' ');

describe('packed samples', () => {
  it('are all there, each whole in one row with its own marks, or cut at the end of a row', () => {
    fc.assert(fc.property(samples, fc.integer({ min: 2, max: 12 }), fc.integer({ min: 1, max: 5 }), (all, rowLength, maxOpenRows) => {
      const { rows, cut } = pack(all, rowLength, maxOpenRows);
      expect(rows.flatMap(unpack).sort()).toEqual(all.map((sample) => asText(sample, rowLength)).sort());
      expect(cut).toEqual(all.map(({ tokens }) => tokens.length > rowLength));
      for (const { tokens, flags } of rows) {
        expect([tokens.length, flags.length]).toEqual([rowLength, rowLength]);
        const end = flags.findIndex((flag) => flag === TOKEN_FLAGS.padding);
        if (end >= 0) expect([...tokens.subarray(end)].every((token, at) => token === PADDING && flags[end + at] === TOKEN_FLAGS.padding)).toBe(true);
      }
    }), { seed: 8 });
  });

  it('go to the first row with room, in their order', () => {
    const sampleOf = (length: number, token: number): EncodedSample => ({ tokens: Array<number>(length).fill(token), counts: Array<boolean>(length).fill(true) });
    const { rows } = pack([sampleOf(3, 1), sampleOf(3, 2), sampleOf(2, 3), sampleOf(1, 4)], 5);
    expect(rows.map(({ tokens }) => [...tokens])).toEqual([[1, 1, 1, 3, 3], [2, 2, 2, 4, PADDING]]);
  });
});
