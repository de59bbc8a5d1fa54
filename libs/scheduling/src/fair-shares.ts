/**
 * How many of `amount` equal pieces of work each worker gets so that the slowest is ready as early as can be, given the
 * milliseconds each takes for a piece. Each gets what it could do in the time that work without grain would take; what
 * is left goes, piece by piece, to who is ready with it first. That is optimal: no division is ready before that time.
 */
export function fairShares(msPerPiece: readonly number[], amount: number): number[] {
  const idealMs = amount / msPerPiece.reduce((rate, ms) => rate + 1 / ms, 0);
  const shares = msPerPiece.map((ms) => Math.floor((idealMs / ms) * (1 - Number.EPSILON * 8)));
  /** When each would be ready with one piece more. */
  const nextMs = msPerPiece.map((ms, worker) => ((shares[worker] ?? 0) + 1) * ms);
  for (let left = amount - shares.reduce((sum, share) => sum + share, 0); left > 0; left -= 1) {
    const first = earliest(nextMs);
    const share = (shares[first] ?? 0) + 1;
    shares[first] = share;
    nextMs[first] = (share + 1) * (msPerPiece[first] ?? 0);
  }
  return shares;
}

/** When the slowest worker is ready with its share, in milliseconds. */
export const readyMs = (msPerPiece: readonly number[], shares: readonly number[]): number =>
  Math.max(0, ...shares.map((share, worker) => share * (msPerPiece[worker] ?? 0)));

function earliest(times: readonly number[]): number {
  let best = 0;
  for (let index = 1; index < times.length; index += 1) {
    if ((times[index] ?? 0) < (times[best] ?? 0)) best = index;
  }
  return best;
}
