import type { ReceiptLine, StepReceipt } from './receipts.ts';

/**
 * Where two runs part; `record` is the field where one has a step and the other has not. `a` and `b` are null where that
 * run has no such step or record. With `digests`, `microBatches` are those whose gradients differ, and `a` and `b` the
 * digests of the first; without, it is empty.
 */
export interface ReceiptDifference {
  readonly step: number;
  readonly field: string;
  readonly microBatches: readonly number[];
  readonly a: number | string | null;
  readonly b: number | string | null;
}

/** `ended`: both runs reached their end, so nothing more can come. */
export type ReceiptComparison =
  | { readonly same: true; readonly steps: number; readonly ended: boolean }
  | { readonly same: false; readonly firstDifference: ReceiptDifference };

type Records = AsyncIterable<ReceiptLine> | Iterable<ReceiptLine>;

/**
 * Compares the steps of two runs, bit for bit, and how they ended. What a run is made of (its config, its numerics) is not
 * compared: the promise is that what may differ there, such as the number of shards, changes no step.
 * A hash counts where both runs took one.
 */
export async function compareReceipts(a: Records, b: Records): Promise<ReceiptComparison> {
  const left = resultsOf(a);
  const right = resultsOf(b);
  for (let steps = 0; ; steps += 1) {
    const [x, y] = await Promise.all([left.next(), right.next()]);
    const difference = compareRecords(x.done ? null : x.value, y.done ? null : y.value, steps);
    if (difference !== null) return { same: false, firstDifference: difference };
    if (x.done || x.value.kind === 'end') return { same: true, steps, ended: !x.done };
  }
}

type Result = Exclude<ReceiptLine, { kind: 'run' | 'torn' }>;

/** The steps and the end; a torn last line is as good as not written. */
async function* resultsOf(records: Records): AsyncGenerator<Result> {
  for await (const record of records) {
    if (record.kind === 'step' || record.kind === 'end') yield record;
  }
}

function compareRecords(a: Result | null, b: Result | null, position: number): ReceiptDifference | null {
  if (a === null && b === null) return null;
  if (a?.kind === 'step' && b?.kind === 'step') return compareSteps(a, b);
  if (a?.kind === 'end' && b?.kind === 'end') {
    return difference(a.version, 'version', a.version, b.version) ?? difference(a.version, 'parametersSha256', a.parametersSha256, b.parametersSha256);
  }
  return { step: position, field: 'record', microBatches: [], a: a?.kind ?? null, b: b?.kind ?? null };
}

/** What names a micro-batch comes first. */
function compareSteps(a: StepReceipt, b: StepReceipt): ReceiptDifference | null {
  return compareFields(a, b, ['step', 'version', 'numExamples'])
    ?? compareDigests(a, b)
    ?? compareFields(a, b, ['numNonFinite', 'loss', 'lossSum', 'accuracy', 'numCorrect'])
    ?? compareHashes(a, b);
}

function compareFields(a: StepReceipt, b: StepReceipt, fields: readonly (keyof StepReceipt)[]): ReceiptDifference | null {
  return fields.map((field) => difference(a.step, field, a[field] ?? null, b[field] ?? null)).find((found) => found !== null) ?? null;
}

const compareHashes = (a: StepReceipt, b: StepReceipt): ReceiptDifference | null =>
  (a.parametersSha256 === null || b.parametersSha256 === null ? null : compareFields(a, b, ['parametersSha256']));

function compareDigests(a: StepReceipt, b: StepReceipt): ReceiptDifference | null {
  if (a.digests === b.digests || a.digests === '' || b.digests === '') return null;
  const [x, y] = [digestsOf(a), digestsOf(b)];
  if (x.length !== y.length) return difference(a.step, 'microBatches', x.length, y.length);
  const microBatches = x.flatMap((digest, microBatch) => (digest === y[microBatch] ? [] : microBatch));
  const first = microBatches[0]!;
  return { step: a.step, field: 'digests', microBatches, a: x[first]!, b: y[first]! };
}

const digestsOf = ({ digests }: StepReceipt): readonly string[] => digests.match(/.{8}/g) ?? [];

function difference(step: number, field: string, a: number | string | null, b: number | string | null): ReceiptDifference | null {
  return a === b ? null : { step, field, microBatches: [], a, b };
}
