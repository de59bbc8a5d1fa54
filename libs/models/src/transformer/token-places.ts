import type { TokenBatch } from '@lockstep/engine';

/** Far below any score: its exponential is 0 in float32. */
const EXCLUDED = -1e30;

/** The position of each place within its document, `[numRows, rowLength]`: it begins anew where the document's number changes. */
export function documentPositions({ numRows, rowLength, documents }: Pick<TokenBatch, 'numRows' | 'rowLength' | 'documents'>): Int32Array {
  const positions = new Int32Array(numRows * rowLength);
  for (let place = 0; place < positions.length; place++) {
    const continues = place % rowLength > 0 && (documents === null || documents[place] === documents[place - 1]);
    positions[place] = continues ? positions[place - 1]! + 1 : 0;
  }
  return positions;
}

/**
 * What is added to attention's scores, `[rows, rowLength, rowLength]` with one row where there are no documents: a place sees itself and what precedes it
 * in its document. Padding counts as a document.
 */
export function attentionMask({ numRows, rowLength, documents }: Pick<TokenBatch, 'numRows' | 'rowLength' | 'documents'>): Float32Array {
  const rows = documents === null ? 1 : numRows;
  const mask = new Float32Array(rows * rowLength * rowLength).fill(EXCLUDED);
  for (let query = 0; query < rows * rowLength; query++) {
    const start = query - (query % rowLength);
    for (let key = start; key <= query; key++) if (documents === null || documents[key] === documents[query]) mask[query * rowLength + key - start] = 0;
  }
  return mask;
}

/** `[numTokens, numBefore + numTokens]`: each of the new tokens sees all before and itself. */
export function continuationMask(numTokens: number, numBefore: number): Float32Array {
  const keys = numBefore + numTokens;
  return Float32Array.from({ length: numTokens * keys }, (_, index) => (index % keys <= numBefore + Math.floor(index / keys) ? 0 : EXCLUDED));
}
