import type { CheckpointComparison, ReceiptDifference, TensorDifference } from '@lockstep/checkpoint';
import type { Verification } from './verify.ts';

const SHOWN_TENSORS = 12;
const SHOWN_MICRO_BATCHES = 8;

/** A verification in words, the verdict first. */
export function renderVerification(verification: Verification, a: string, b: string): string {
  const { same, checkpoints, tensors, settings } = verification;
  const lines = [verdict(verification, a, b), ...checkpointLines(checkpoints)];
  // The first checkpoint that differs says more than the models at the end.
  lines.push(...(checkpoints.firstDifference === null ? modelLines(tensors) : []));
  if (!same) lines.push(...settings.map(({ field, a: x, b: y }) => `  ${field}: ${x} in ${a}, ${y} in ${b}`));
  return lines.join('\n');
}

function verdict({ same, receipts, checkpoints }: Verification, a: string, b: string): string {
  if (!receipts.same) return `differ: ${differenceText(receipts.firstDifference, a, b)}`;
  if (!same) return `differ: the receipts are the same, ${checkpoints.firstDifference === null ? 'the final models' : 'the checkpoints'} are not`;
  const steps = `${receipts.steps.toLocaleString('en')} ${receipts.steps === 1 ? 'step' : 'steps'}`;
  return receipts.ended ? `same: ${a} and ${b}, all ${steps}` : `same so far: ${a} and ${b}, ${steps}; neither has ended`;
}

function differenceText({ step, field, microBatches, a: x, b: y }: ReceiptDifference, a: string, b: string): string {
  if (field === 'record') return `step ${step}: ${recordText(x, a)}, ${recordText(y, b)}`;
  const what = field === 'digests' ? `${microBatchText(microBatches)}: gradient` : `${field}:`;
  return `step ${step}, ${what} ${x ?? 'none'} in ${a}, ${y ?? 'none'} in ${b}`;
}

function microBatchText(microBatches: readonly number[]): string {
  const shown = microBatches.slice(0, SHOWN_MICRO_BATCHES).join(', ');
  const rest = microBatches.length - SHOWN_MICRO_BATCHES;
  return `micro-batch${microBatches.length === 1 ? '' : 'es'} ${shown}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function recordText(kind: number | string | null, run: string): string {
  if (kind === 'step') return `${run} goes on`;
  return kind === 'end' ? `${run} has ended` : `${run} breaks off`;
}

function checkpointLines({ versions, firstDifference, skipped }: CheckpointComparison): string[] {
  const skippedLines = skipped.map((reason) => `  a checkpoint is left out: ${reason}`);
  const numSame = versions.length - (firstDifference === null ? 0 : 1);
  const same = numSame === 0 ? [] : [`  the same ${numSame === 1 ? 'checkpoint' : 'checkpoints'}: version ${listText(versions.slice(0, numSame))}`];
  if (firstDifference === null) return [...skippedLines, ...same];
  const { version, tensors } = firstDifference;
  return [...skippedLines, ...same, ...differingLines(`the checkpoints of version ${version}`, tensors)];
}

function modelLines(tensors: readonly TensorDifference[] | null): string[] {
  if (tensors === null) return ['  a run has no final model to compare'];
  return tensors.length === 0 ? ['  the final models are the same'] : differingLines('the final models', tensors);
}

function differingLines(where: string, tensors: readonly TensorDifference[]): string[] {
  const shown = tensors.slice(0, SHOWN_TENSORS).map((tensor) => `  ${tensorText(tensor)}`);
  const rest = tensors.length - shown.length;
  return [`  ${tensors.length === 1 ? `1 tensor of ${where} differs` : `${tensors.length} tensors of ${where} differ`}:`, ...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

function tensorText(tensor: TensorDifference): string {
  if (tensor.kind === 'shape') return `${tensor.name}: shape ${shapeText(tensor.a)} and ${shapeText(tensor.b)}`;
  return `${tensor.name}: ${tensor.numDifferent} of ${tensor.numElements} elements, by up to ${tensor.largest.toPrecision(3)}`;
}

const shapeText = (shape: readonly number[] | null): string => (shape === null ? 'none' : `[${shape.join(', ')}]`);

const listText = (versions: readonly number[]): string =>
  (versions.length <= 3 ? versions.join(', ') : `${versions.slice(0, 2).join(', ')} … ${versions.at(-1)}`);
