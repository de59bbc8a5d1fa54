import { appendFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRunDirectory, openJournal, openReceiptWriter, readReceipts } from '@lockstep/checkpoint';
import { createMetricsFile } from '@lockstep/telemetry';
import { PatientJournal } from '../patient-journal.ts';

/** What could be read of a run that was recorded on a disk without room, which was freed when the first lines waited. */
export interface Recorded {
  readonly warnings: readonly string[];
  readonly entries: readonly number[];
  readonly steps: readonly number[];
  readonly events: readonly number[];
}

const COUNT = 500;
const PATIENCE_MS = 60_000;

const [runs = ''] = process.argv.slice(2);
const run = await createRunDirectory(runs, 'digits');
const opened = openJournal(run, { pid: process.pid, hostname: 'here' });
const warnings: string[] = [];
const bothWait = Promise.withResolvers<void>();
const onWarning = (message: string) => { if (warnings.push(message) === 2) bothWait.resolve(); };
const journal = new PatientJournal(opened, { patienceMs: PATIENCE_MS, onWarning, onFailure: bothWait.reject });
const { writer } = await openReceiptWriter(run.file('receipts.jsonl'), { resumeAt: null, stepsPerEpoch: COUNT, patienceMs: PATIENCE_MS, onWaiting: ({ message }) => onWarning(message) });
const metrics = createMetricsFile(run.file('metrics.jsonl'));

fill(run.file('filler'));
for (let step = 0; step < COUNT; step += 1) {
  writer.write({ kind: 'step', step, version: step + 1, loss: 1, numExamples: 1, numCorrect: 1, lossSum: 1, digests: '0123abcd', parametersSha256: null });
  metrics.write({ event: 'step', step, epoch: 0, loss: 1, accuracy: 1, learningRate: 1, numExamples: 1, elapsedSeconds: step, examplesPerSecond: 1, workers: [] });
  journal.append({ kind: 'rank', rank: step, hostname: 'here', pid: 1 });
}
await bothWait.promise;
rmSync(run.file('filler'));
await journal.settled();
await writer.close();
await metrics.close();
journal.close();

const receipts = await Array.fromAsync(readReceipts(run.file('receipts.jsonl')));
const again = openJournal(run, { pid: process.pid, hostname: 'here' });
const recorded: Recorded = {
  warnings,
  entries: again.entries.flatMap((entry) => (entry.kind === 'rank' ? [entry.rank] : [])),
  steps: receipts.flatMap((receipt) => (receipt.kind === 'step' ? [receipt.step] : [])),
  events: (await readFile(run.file('metrics.jsonl'), 'utf8')).trimEnd().split('\n').map((line) => (JSON.parse(line) as { readonly step: number }).step),
};
again.close();
console.log(JSON.stringify(recorded));

/** Leaves not one byte. */
function fill(path: string): void {
  for (let size = 65_536; size >= 1;) {
    try {
      appendFileSync(path, Buffer.alloc(size));
    } catch {
      size = Math.floor(size / 2);
    }
  }
}
