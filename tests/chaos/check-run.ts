import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareReceipts, readReceipts, type ReceiptLine } from '@lockstep/checkpoint';
import { sha256, type EpochEvent, type RunEvent } from '@lockstep/core';
import type { QuietRun } from './quiet-run.ts';

/** What a run that has ended differs in from the quiet one, and what its log does not say though it must. */
export async function checkRun(directory: string, events: readonly RunEvent[], quiet: QuietRun, mustBeNamed: readonly string[]): Promise<readonly string[]> {
  const receipts: ReceiptLine[] = [];
  for await (const receipt of readReceipts(join(directory, 'receipts.jsonl'))) receipts.push(receipt);
  return [
    ...checkEnd(events, quiet),
    ...checkEpochs([...events, ...(await readMetrics(directory))], quiet),
    ...checkSamples(receipts, quiet),
    ...(await checkReceipts(receipts, quiet)),
    ...(await checkModel(directory, quiet)),
    ...checkLog(events, mustBeNamed),
  ];
}

/** The hash above all; then every figure that the run ends with. */
export function checkEnd(events: readonly RunEvent[], { end: quiet }: QuietRun): readonly string[] {
  const ends = events.filter((event) => event.event === 'end');
  const [end] = ends;
  if (end === undefined || ends.length > 1) return [`${ends.length} ends were told of`];
  const fields = ['parametersSha256', 'steps', 'epochs', 'trainExamples', 'test', 'stoppedEarly'] as const;
  return fields.flatMap((field) => differs(`the end's ${field}`, end[field], quiet[field]));
}

/** Each epoch was told of, and whenever it was, with the same figures. */
export function checkEpochs(events: readonly RunEvent[], { epochs }: QuietRun): readonly string[] {
  const told = events.filter((event) => event.event === 'epoch');
  return epochs.flatMap((expected) => {
    const found = told.filter(({ epoch }) => epoch === expected.epoch);
    if (found.length === 0) return [`epoch ${expected.epoch} was never told of`];
    return found.flatMap((event) => differs(`epoch ${expected.epoch}`, figuresOf(event), figuresOf(expected))).slice(0, 1);
  });
}

/** Every step once, in order, with as many examples as it has: so every sample of every epoch was applied exactly once. */
export function checkSamples(receipts: readonly ReceiptLine[], { end, stepsPerEpoch, globalBatchSize, trainSamples }: QuietRun): readonly string[] {
  const steps = receipts.filter((receipt) => receipt.kind === 'step');
  const problems = differs('the number of steps', steps.length, end.steps);
  const lastOfEpoch = trainSamples - (stepsPerEpoch - 1) * globalBatchSize;
  const wrong = steps.find(({ step, version, numExamples }, index) => {
    const expected = (index + 1) % stepsPerEpoch === 0 ? lastOfEpoch : globalBatchSize;
    return step !== index || version !== index + 1 || numExamples !== expected;
  });
  return wrong === undefined ? problems : [...problems, `the receipt after step ${steps.indexOf(wrong) - 1} is ${JSON.stringify(wrong)}`];
}

async function checkReceipts(receipts: readonly ReceiptLine[], quiet: QuietRun): Promise<readonly string[]> {
  const compared = await compareReceipts(readReceipts(join(quiet.directory, 'receipts.jsonl')), receipts);
  if (!compared.same) return [`receipts differ: ${JSON.stringify(compared.firstDifference)}`];
  return compared.ended ? [] : ['the receipts have no end'];
}

/** What the user gets: the files of the model and its evaluation, byte for byte. */
async function checkModel(directory: string, quiet: QuietRun): Promise<readonly string[]> {
  const hashOf = async (run: string, file: string) => sha256(await readFile(join(run, file)));
  const compare = async (file: string) => differs(file, await hashOf(directory, file), await hashOf(quiet.directory, file));
  return (await Promise.all(['model.safetensors', 'evaluation.json'].map(compare))).flat();
}

function checkLog(events: readonly RunEvent[], mustBeNamed: readonly string[]): readonly string[] {
  const messages = events.flatMap((event) => (event.event === 'log' ? [event.message] : []));
  return mustBeNamed.filter((text) => !messages.some((message) => message.includes(text))).map((text) => `no line of the log names ${text}`);
}

/** The figures of the run's own file; a last line that a kill cut off is none. */
async function readMetrics(directory: string): Promise<readonly RunEvent[]> {
  const text = await readFile(join(directory, 'metrics.jsonl'), 'utf8');
  return text.split('\n').flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as RunEvent] : []));
}

const figuresOf = ({ epoch, step, loss, accuracy, validation, parametersSha256 }: EpochEvent) => ({ epoch, step, loss, accuracy, validation, parametersSha256 });

function differs(what: string, found: unknown, expected: unknown): readonly string[] {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  return a === b ? [] : [`${what}: got ${a}, expected ${b}`];
}
