import { parseArgs } from 'node:util';
import { messageOf } from '@lockstep/core';
import { Chaos } from './chaos-run.ts';
import { describeSchedule } from './describe-schedule.ts';
import type { Outcome } from './run-schedule.ts';
import { renderTable, tabulate } from './table.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));

try {
  const { runs, seed, compressed } = parseOptions();
  const outcomes = await runAll(runs, seed, compressed);
  say(`\n${renderTable(tabulate(outcomes.flatMap(({ faults }) => faults)))}`);
  const failed = outcomes.filter(({ problems }) => problems.length > 0);
  say(`\n${outcomes.length - failed.length} of ${outcomes.length} runs ended with the bytes and metrics of the quiet one; ${outcomes.flatMap(({ faults }) => faults).length} faults`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`chaos: ${messageOf(error)}\n`);
  process.exitCode = 2;
}

/** Seeds from `--seed` on, one after another. */
async function runAll(runs: number, seed: number, compressed: boolean): Promise<readonly Outcome[]> {
  await using chaos = await Chaos.begin({ compressed });
  const { end: { steps, trainSeconds, parametersSha256 } } = await chaos.quiet();
  say(`quiet run: ${steps} steps in ${trainSeconds.toFixed(1)} s, ${parametersSha256}`);
  const outcomes: Outcome[] = [];
  for (let next = seed; next < seed + runs && !stop.signal.aborted; next += 1) {
    const outcome = await chaos.run(next, stop.signal);
    outcomes.push(outcome);
    report(outcome, runs === 1, compressed);
  }
  return outcomes;
}

function report({ schedule, faults, problems, story, seconds, directory }: Outcome, isAlone: boolean, compressed: boolean): void {
  say(`seed ${schedule.seed}: ${problems.length === 0 ? 'the same bytes' : 'FAILED'}; ${faults.length} faults, ${seconds.toFixed(1)} s`);
  for (const problem of problems) say(`  ${problem}`);
  if (isAlone || problems.length > 0) say(`  ${describeSchedule(schedule).replaceAll('\n', '\n  ')}`);
  for (const line of story) say(`  ${line}`);
  if (problems.length > 0) say(`  logs: ${directory}\n  again: npm run chaos -- --seed ${schedule.seed} --runs 1${compressed ? ' --compressed' : ''}`);
}

function parseOptions(): { readonly runs: number; readonly seed: number; readonly compressed: boolean } {
  const { values } = parseArgs({ options: { runs: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' }, compressed: { type: 'boolean', default: false } } });
  return { runs: wholeNumber('--runs', values.runs, 1), seed: wholeNumber('--seed', values.seed, 0), compressed: values.compressed };
}

function wholeNumber(flag: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`${flag}: got ${JSON.stringify(text)}, expected a whole number from ${least}`);
  return value;
}
