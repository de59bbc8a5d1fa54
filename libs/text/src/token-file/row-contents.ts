import { TOKEN_FLAGS } from './token-file-header.ts';

/** The next token at each position of `[numRows, rowLength]`, or -1 where it does not count, is of another document, or the row ends. */
export function targetsOf(tokens: Int32Array, flags: Uint8Array, rowLength: number): Int32Array {
  const targets = new Int32Array(tokens.length).fill(-1);
  for (let at = 0; at + 1 < tokens.length; at += 1) {
    const isLast = at % rowLength === rowLength - 1;
    if (!isLast && isPredicted(flags[at + 1]!)) targets[at] = tokens[at + 1]!;
  }
  return targets;
}

/** A document's first token follows no other of its own. */
function isPredicted(flags: number): boolean {
  return (flags & TOKEN_FLAGS.counts) !== 0 && (flags & (TOKEN_FLAGS.beginsDocument | TOKEN_FLAGS.padding)) === 0;
}

/** The number of the document within its row, from 0; -1 of padding. */
export function documentsOf(flags: Uint8Array, rowLength: number): Int32Array {
  const documents = new Int32Array(flags.length);
  let document = -1;
  for (let at = 0; at < flags.length; at += 1) {
    if (at % rowLength === 0) document = -1;
    if ((flags[at]! & TOKEN_FLAGS.beginsDocument) !== 0) document += 1;
    documents[at] = (flags[at]! & TOKEN_FLAGS.padding) !== 0 ? -1 : document;
  }
  return documents;
}

/** 0 where a row's text is, -1 of the padding that follows it. The first position always is the text's. */
export function documentsUntilPadding(tokens: Int32Array, rowLength: number, padding: number | null): Int32Array {
  const documents = new Int32Array(tokens.length);
  for (let end = tokens.length; end > 0; end -= rowLength) {
    for (let at = end - 1; at > end - rowLength && tokens[at] === padding; at -= 1) documents[at] = -1;
  }
  return documents;
}
