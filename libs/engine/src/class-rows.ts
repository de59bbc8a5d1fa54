/** Sum in 64-bit, in index order. */
export function sumOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}

/** How many rows of `[n, numClasses]` have their largest value (the first of equals) at the label. */
export function argMaxEquals(rows: Float32Array, labels: Uint8Array, numClasses: number): number {
  let equal = 0;
  for (let row = 0, start = 0; row < labels.length; row++, start += numClasses) {
    let best = 0;
    for (let column = 1; column < numClasses; column++) if (rows[start + column]! > rows[start + best]!) best = column;
    if (best === labels[row]) equal++;
  }
  return equal;
}

/** The softmax of each row of `[n, numClasses]`. */
export function softmaxRows(logits: Float32Array, numClasses: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += numClasses) {
    let largest = -Infinity;
    for (let i = start; i < start + numClasses; i++) largest = Math.max(largest, logits[i]!);
    let sum = 0;
    for (let i = start; i < start + numClasses; i++) sum += Math.exp(logits[i]! - largest);
    for (let i = start; i < start + numClasses; i++) probabilities[i] = Math.exp(logits[i]! - largest) / sum;
  }
  return probabilities;
}
