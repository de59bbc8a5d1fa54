/** Keras's EarlyStopping on validation loss: stop after `patience` epochs without an improvement of more than `minDelta`. */
export interface EarlyStoppingRule {
  readonly patience: number;
  readonly minDelta: number;
}

/** What has been seen so far; the epochs count from 0. */
export interface BestEpoch {
  readonly epoch: number;
  readonly loss: number;
}

export type EpochVerdict =
  | { readonly kind: 'improved'; readonly best: BestEpoch }
  | { readonly kind: 'continue'; readonly best: BestEpoch | null }
  | { readonly kind: 'stop'; readonly best: BestEpoch | null; readonly reason: string };

/** Judges an epoch's validation loss, which is no improvement where it is no finite number; without a rule training never stops early, but the best epoch is still known. */
export function judgeEpoch(best: BestEpoch | null, epoch: number, loss: number, rule: EarlyStoppingRule | null): EpochVerdict {
  if (Number.isFinite(loss) && (best === null || loss < best.loss - (rule?.minDelta ?? 0))) return { kind: 'improved', best: { epoch, loss } };
  const waited = epoch - (best?.epoch ?? -1);
  if (rule === null || waited < rule.patience) return { kind: 'continue', best };
  const reason = best === null ? `has been no finite number for ${waited} epochs` : `has not improved on ${best.loss.toFixed(4)} of epoch ${best.epoch + 1} for ${waited} epochs`;
  return { kind: 'stop', best, reason: `validation loss ${reason}` };
}
