import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockstepError, messageOf } from '@lockstep/core';
import { benchAcross } from './across/bench-across.ts';
import { benchAllReduce } from './all-reduce/bench-all-reduce.ts';
import { benchBetweenHosts } from './all-reduce/bench-between-hosts.ts';
import type { BenchRow } from './bench-row.ts';
import { torchVersion } from './contestants/index.ts';
import { benchKernels } from './kernels/bench-kernels.ts';
import { benchLanguage } from './language/bench-language.ts';
import { describeMachine } from './machine.ts';
import { benchMemory } from './memory/bench-memory.ts';
import { parseBenchOptions, type BenchOptions } from './options.ts';
import { runRounds } from './rounds.ts';
import { renderTable } from './table.ts';
import { contestantsFor, trainingRows } from './training-rows.ts';
import { workloads } from './workload.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));

const runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
try {
  await bench(parseBenchOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n${error instanceof LockstepError && error.hint !== undefined ? `${error.hint}\n` : ''}`);
  process.exitCode = error instanceof LockstepError && error.code === 'usage' ? 2 : 1;
} finally {
  await rm(runsDirectory, { recursive: true, force: true });
}

async function bench({ groups, repetitions, quick, python, jsonFile }: BenchOptions): Promise<void> {
  const torch = await torchVersion(python, stop.signal);
  const machine = await describeMachine(torch);
  const names = contestantsFor(groups, torch !== null);
  const rows: BenchRow[] = [];
  for (const workload of names.length === 0 ? [] : workloads(quick)) {
    const rounds = await runRounds(names, workload, repetitions, { python, runsDirectory, signal: stop.signal });
    rows.push(...trainingRows(groups, workload.model, rounds));
  }
  if (groups.includes('e')) rows.push(...(await benchKernels({ python })).map((row): BenchRow => ({ ...row, group: 'e', range: null })));
  if (groups.includes('g')) rows.push(...(await benchAllReduce({ python, withTorch: torch !== null, repetitions, quick, directory: runsDirectory, signal: stop.signal })));
  if (groups.includes('h')) rows.push(...(await benchBetweenHosts(repetitions, quick, stop.signal)));
  if (groups.includes('i')) rows.push(...(await benchMemory({ quick, runsDirectory, signal: stop.signal })));
  for (const group of ['j', 'k'] as const) if (groups.includes(group)) rows.push(...(await benchAcross(group, { repetitions, quick, directory: runsDirectory, signal: stop.signal })));
  if (groups.includes('l')) rows.push(...(await benchLanguage({ python, repetitions, quick, directory: runsDirectory, signal: stop.signal })));
  rows.sort((left, right) => left.group.localeCompare(right.group));
  process.stdout.write(`${renderTable(rows)}\n${machine}; medians, rounds: ${repetitions}${quick ? ', quick: the figures say little' : ''}\n`);
  if (jsonFile !== null) await writeFile(jsonFile, `${JSON.stringify({ measured: new Date().toISOString(), machine, repetitions, quick, rows }, null, 2)}\n`);
}
