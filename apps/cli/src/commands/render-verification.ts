import type { ReceiptComparison, ReceiptDifference, TensorDifference } from '@lockstep/checkpoint';
import type { Verification } from './verify.ts';

const SHOWN_TENSORS = 12;

/** A verification in words, the verdict first. */
export function renderVerification({ same, receipts, tensors, settings }: Verification, a: string, b: string): string {
  const lines = [verdict(same, receipts, a, b), ...tensorLines(tensors)];
  if (!same) lines.push(...settings.map(({ field, a: x, b: y }) => `  ${field}: ${x} in ${a}, ${y} in ${b}`));
  return lines.join('\n');
}

function verdict(same: boolean, receipts: ReceiptComparison, a: string, b: string): string {
  if (!receipts.same) return `differ: ${differenceText(receipts.firstDifference, a, b)}`;
  if (!same) return 'differ: the receipts are the same, the final models are not';
  const steps = `${receipts.steps.toLocaleString('en')} ${receipts.steps === 1 ? 'step' : 'steps'}`;
  return receipts.ended ? `same: ${a} and ${b}, all ${steps}` : `same so far: ${a} and ${b}, ${steps}; neither has ended`;
}

function differenceText({ step, field, a: x, b: y }: ReceiptDifference, a: string, b: string): string {
  if (field !== 'record') return `step ${step}, ${field}: ${x ?? 'none'} in ${a}, ${y ?? 'none'} in ${b}`;
  return `step ${step}: ${recordText(x, a)}, ${recordText(y, b)}`;
}

function recordText(kind: number | string | null, run: string): string {
  if (kind === 'step') return `${run} goes on`;
  return kind === 'end' ? `${run} has ended` : `${run} breaks off`;
}

function tensorLines(tensors: readonly TensorDifference[] | null): string[] {
  if (tensors === null) return ['  a run has no final model to compare'];
  if (tensors.length === 0) return ['  the final models are the same'];
  const shown = tensors.slice(0, SHOWN_TENSORS).map((tensor) => `  ${tensorText(tensor)}`);
  const rest = tensors.length - shown.length;
  return [`  ${tensors.length === 1 ? '1 tensor of the final models differs' : `${tensors.length} tensors of the final models differ`}:`, ...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

function tensorText(tensor: TensorDifference): string {
  if (tensor.kind === 'shape') return `${tensor.name}: shape ${shapeText(tensor.a)} and ${shapeText(tensor.b)}`;
  return `${tensor.name}: ${tensor.numDifferent} of ${tensor.numElements} elements, by up to ${tensor.largest.toPrecision(3)}`;
}

const shapeText = (shape: readonly number[] | null): string => (shape === null ? 'none' : `[${shape.join(', ')}]`);
