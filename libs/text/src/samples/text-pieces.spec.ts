import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { trainedTokenizer } from '../testing/trained-tokenizer.ts';
import { TextPieces } from './text-pieces.ts';

const word = fc.oneof(fc.constantFrom('the', 'cat', 'mats', '  ', '\n', '\n\n', '你好', '😀', "don't", '12'), fc.string({ unit: 'binary', maxLength: 8 }));
const text = fc.array(word, { minLength: 60, maxLength: 200 }).map((words) => words.join(' '));

function piecesOf(parts: readonly string[], encode: (text: string) => readonly number[], pieceLength: number): string[] {
  const pieces = new TextPieces(encode, pieceLength);
  return [...parts.flatMap((part) => [...pieces.push(part)]), ...pieces.end()];
}

describe('a long text', () => {
  it('encodes piece by piece to the tokens of the whole', () => {
    using directory = temporaryDirectory();
    const { encode } = trainedTokenizer(directory);
    fc.assert(fc.property(text, (whole) => {
      const pieces = piecesOf([whole], encode, 100);
      expect(pieces.length).toBeGreaterThan(whole.length < 170 ? 0 : 1);
      expect(pieces.flatMap((piece) => encode(piece))).toEqual(encode(whole));
    }), { seed: 6, numRuns: 100 });
  });

  it('is cut at the same places, however it comes', () => {
    fc.assert(fc.property(text, fc.array(fc.nat(400), { maxLength: 6 }), (whole, cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
      const parts = edges.slice(1).map((edge, at) => whole.slice(edges[at], edge));
      expect(piecesOf(parts, () => [], 100)).toEqual(piecesOf([whole], () => [], 100));
    }), { seed: 6 });
  });

  it('without spaces is cut between characters', () => {
    const pieces = piecesOf(['😀'.repeat(500)], () => [], 101);
    expect(pieces.join('')).toBe('😀'.repeat(500));
    expect(pieces.every((piece) => piece.length <= 164 && piece.isWellFormed())).toBe(true);
  });
});
