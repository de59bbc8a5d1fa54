import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareReceipts, openJournal, openRunDirectory, readReceipts } from '@lockstep/checkpoint';
import { sha256, type EndEvent, type EpochEvent, type RunEvent } from '@lockstep/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LockstepProcess, lockstepEvents, type Ended } from '../support/processes.ts';

const CONFIG = join(import.meta.dirname, 'run.config.ts');
const STEPS_PER_EPOCH = 13;
/** The best epoch is over, the patience is not. */
const EPOCH_OF_STOP = 3;
const QUIET = 'quiet';

let runsDirectory: string;
let quiet: Ended;
const alive: LockstepProcess[] = [];

beforeAll(async () => {
  runsDirectory = await mkdtemp(join(tmpdir(), 'lockstep-resume-'));
  quiet = await train(QUIET, '--workers', '2').ended;
}, 120_000);
afterEach(async () => {
  for (const { child } of alive) child.kill('SIGKILL');
  await Promise.all(alive.splice(0).map(({ ended }) => ended));
});
afterAll(() => rm(runsDirectory, { recursive: true, force: true }));

function lockstep(...args: readonly string[]): LockstepProcess {
  const process = new LockstepProcess([...args, '--runs-dir', runsDirectory, '--json']);
  alive.push(process);
  return process;
}

const train = (run: string, ...flags: readonly string[]) => lockstep('train', '--config', CONFIG, '--run', run, ...flags);
const resume = (run: string, ...flags: readonly string[]) => lockstep('train', '--resume', run, ...flags).ended;
const resumeWrongly = (run: string, ...flags: readonly string[]) => lockstepEvents('train', '--resume', run, '--runs-dir', runsDirectory, ...flags);

/** Stops the run at a step's event and waits until all its checkpoints are whole. */
async function stopAt(step: number, running: LockstepProcess, signal: NodeJS.Signals): Promise<Ended> {
  await running.event('step', (event) => event.step >= step);
  running.child.kill(signal);
  return running.ended;
}

describe('the run that never stops', () => {
  it('has its best epoch before the one in which the others are stopped, and stops early', () => {
    expect(quiet).toMatchObject({ exitCode: 0, stderr: '' });
    const epochs = epochsOf(quiet.events);
    const { parametersSha256, stoppedEarly } = endOf(quiet.events);
    const best = epochs.findIndex((epoch) => epoch.parametersSha256 === parametersSha256);
    expect(best).toBeGreaterThan(0);
    expect(best).toBeLessThan(EPOCH_OF_STOP);
    expect(epochs).toHaveLength(best + 1 + 3);
    expect(stoppedEarly).not.toBeNull();
  });
});

describe('a run that is stopped in the middle of an epoch', () => {
  it('goes on with other workers and shards as if it had never stopped', async () => {
    const stopped = await stopAt(EPOCH_OF_STOP * STEPS_PER_EPOCH, train('stopped', '--workers', '1'), 'SIGTERM');
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stderr).toMatch(/stopped by SIGTERM, with a checkpoint of step \d+\n.*lockstep train --resume stopped/);
    const resumed = await resume('stopped', '--workers', '3', '--shards', '3');
    expect(resumed).toMatchObject({ exitCode: 0, stderr: '' });
    const from = startOf(resumed.events).resumedFrom;
    expect(from).toBeGreaterThanOrEqual(Number(/a checkpoint of step (\d+)/.exec(stopped.stderr)?.[1]));
    expect(from % STEPS_PER_EPOCH).not.toBe(0);
    expectSameEpochs([...stopped.events, ...resumed.events]);
    await expectSameEnd('stopped', resumed.events);
  });

  it('goes on from the checkpoint before, and says so, where the newest is damaged', async () => {
    await stopAt(EPOCH_OF_STOP * STEPS_PER_EPOCH, train('damaged', '--workers', '2', '--shards', '2'), 'SIGTERM');
    const newest = await damageNewest('damaged', 'optimizer.safetensors');
    const resumed = await resume('damaged', '--workers', '1');
    expect(resumed).toMatchObject({ exitCode: 0, stderr: '' });
    const warnings = resumed.events.flatMap((event) => (event.event === 'log' && event.level === 'warn' ? [event.message] : []));
    expect(warnings).toContainEqual(expect.stringMatching(new RegExp(`checkpoint skipped: .*${newest}/optimizer\\.safetensors`)));
    expect(startOf(resumed.events).resumedFrom).toBeLessThan(Number(newest.replace('step-', '')));
    await expectSameEnd('damaged', resumed.events);
  });

  it('is refused at once where the weights of its best epoch are damaged', async () => {
    await stopAt(EPOCH_OF_STOP * STEPS_PER_EPOCH, train('best-damaged', '--workers', '2', '--checkpoints.keep-last', '1'), 'SIGTERM');
    const checkpoints = join(runsDirectory, 'best-damaged', 'checkpoints');
    const [best = ''] = (await readdir(checkpoints)).toSorted();
    await truncate(join(checkpoints, best, 'parameters.safetensors'), 100);
    const resumed = await resume('best-damaged', '--workers', '1');
    expect(resumed.exitCode).toBe(1);
    expect(resumed.stderr).toContain(`the run is to end with the weights of its best epoch, of step ${Number(best.replace('step-', ''))}: cannot read`);
    expect(resumed.events.filter(({ event }) => event === 'step')).toEqual([]);
  });

  it('tells of an epoch whose line a kill took from the metrics', async () => {
    await stopAt(EPOCH_OF_STOP * STEPS_PER_EPOCH, train('untold', '--workers', '1'), 'SIGTERM');
    const metrics = join(runsDirectory, 'untold', 'metrics.jsonl');
    const before = await readFile(metrics, 'utf8');
    const lost = epochsOf(eventsIn(before)).at(-1)!;
    await truncate(metrics, before.indexOf(JSON.stringify(lost)) + 20);
    const resumed = await resume('untold', '--workers', '2');
    expect(epochsOf(resumed.events)[0]).toEqual(lost);
    const epochs = epochsOf(eventsIn(await readFile(metrics, 'utf8')));
    expect(epochs.map(({ epoch }) => epoch)).toEqual(epochsOf(quiet.events).map(({ epoch }) => epoch));
    expectSameEpochs(epochs);
  });

  it('goes on after two stops, of which one was a kill', async () => {
    await stopAt(STEPS_PER_EPOCH + 3, train('twice', '--workers', '2'), 'SIGKILL');
    await stopAt(EPOCH_OF_STOP * STEPS_PER_EPOCH, lockstep('train', '--resume', 'twice', '--workers', '1', '--shards', '2'), 'SIGINT');
    const resumed = await resume('twice', '--workers', '2');
    expect(resumed).toMatchObject({ exitCode: 0, stderr: '' });
    await expectSameEnd('twice', resumed.events);
  });
});

describe('a run that was killed before its first checkpoint', () => {
  it('begins again with the same steps', async () => {
    await stopAt(0, train('early', '--workers', '2', '--checkpoints.every-steps', '1000'), 'SIGKILL');
    const resumed = await resume('early', '--workers', '1');
    expect(resumed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(startOf(resumed.events).resumedFrom).toBe(0);
    await expectSameEnd('early', resumed.events);
  });

  it('begins when its workers had not come yet', async () => {
    const coordinator = lockstep('coordinator', '--listen', '127.0.0.1:0', '--config', CONFIG, '--run', 'alone');
    await coordinator.event('log', ({ message }) => message.includes('0 of 1 workers have joined'));
    coordinator.child.kill('SIGKILL');
    await coordinator.ended;
    const waiting = lockstep('coordinator', '--listen', '127.0.0.1:0', '--resume', 'alone');
    await waiting.event('log', ({ message }) => message.includes('0 of 1 workers have joined'));
    waiting.child.kill('SIGTERM');
    expect((await waiting.ended).stderr).toBe('error: stopped by SIGTERM\nhint: go on with: lockstep train --resume alone\n');
    const resumed = await resume('alone', '--workers', '2');
    expect(resumed).toMatchObject({ exitCode: 0, stderr: '' });
    await expectSameEnd('alone', resumed.events);
  });
});

describe('a run that was killed after its last step', () => {
  it.each([['whole', false], ['damaged', true]])('makes its end, its last checkpoint being %s', async (name, isDamaged) => {
    const run = `ends-${name}`;
    await copyUpToItsEnd(run);
    if (isDamaged) await damageNewest(run, 'parameters.safetensors');
    const resumed = await resume(run, '--workers', '2');
    expect(resumed).toMatchObject({ exitCode: 0, stderr: '' });
    expect(epochsOf(resumed.events)).toEqual([]);
    await expectSameEnd(run, resumed.events);
  });
});

describe('--resume', () => {
  it('refuses a setting that would change the result', async () => {
    const { exitCode, stderr } = await resumeWrongly(QUIET, '--optimizer.learning-rate', '0.5');
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--optimizer\.learning-rate would change what a resumed run trains/);
  });

  it('refuses a run that has ended, and leaves its files as they are', async () => {
    const before = await hashesOf(QUIET);
    const { exitCode, stderr } = await resumeWrongly(QUIET);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`run ${QUIET} has ended`);
    expect(await hashesOf(QUIET)).toEqual(before);
  });

  it('refuses a run that is not there', async () => {
    const { exitCode, stderr } = await resumeWrongly('nowhere');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('no run nowhere');
  });
});

/** Each epoch told of once, with the quiet run's figures. */
function expectSameEpochs(events: readonly RunEvent[]): void {
  expect(epochsOf(events).map(measured)).toEqual(epochsOf(quiet.events).map(measured));
}

/** The bytes, the figures and the steps that the quiet run ends with. */
async function expectSameEnd(run: string, events: readonly RunEvent[]): Promise<void> {
  expect(outcome(endOf(events))).toEqual(outcome(endOf(quiet.events)));
  const last = epochsOf(events).map(measured);
  expect(last).toEqual(epochsOf(quiet.events).map(measured).slice(epochsOf(quiet.events).length - last.length));
  const receipts = (name: string) => readReceipts(join(runsDirectory, name, 'receipts.jsonl'));
  expect(await compareReceipts(receipts(QUIET), receipts(run))).toMatchObject({ same: true, ended: true, steps: endOf(quiet.events).steps });
  expect(await hashesOf(run)).toMatchObject({ model: (await hashesOf(QUIET)).model, evaluation: (await hashesOf(QUIET)).evaluation });
}

/** Cuts a file of the newest checkpoint off; gives the checkpoint's name. */
async function damageNewest(run: string, file: string): Promise<string> {
  const checkpoints = join(runsDirectory, run, 'checkpoints');
  const newest = (await readdir(checkpoints)).toSorted().at(-1) ?? '';
  await truncate(join(checkpoints, newest, file), 100);
  return newest;
}

/** The quiet run as a kill between its last epoch and its end would have left it. */
async function copyUpToItsEnd(run: string): Promise<void> {
  await cp(join(runsDirectory, QUIET), join(runsDirectory, run), { recursive: true });
  const directory = await openRunDirectory(runsDirectory, run);
  const holder = { pid: process.pid, hostname: hostname() };
  const whole = openJournal(directory, holder);
  const { entries } = whole;
  whole.close();
  await rm(directory.file('journal.sqlite'));
  const cut = openJournal(directory, holder);
  for (const entry of entries) if (entry.kind !== 'end') cut.append(entry);
  cut.close();
  const receipts = (await readFile(directory.file('receipts.jsonl'), 'utf8')).split('\n');
  await writeFile(directory.file('receipts.jsonl'), receipts.filter((line) => !line.includes('"kind":"end"')).join('\n'));
  for (const file of ['model.safetensors', 'evaluation.json']) await rm(directory.file(file));
}

async function hashesOf(run: string): Promise<Record<'model' | 'evaluation' | 'receipts' | 'metrics', string>> {
  const hash = async (file: string) => sha256(await readFile(join(runsDirectory, run, file)));
  return { model: await hash('model.safetensors'), evaluation: await hash('evaluation.json'), receipts: await hash('receipts.jsonl'), metrics: await hash('metrics.jsonl') };
}

function startOf(events: readonly RunEvent[]): Extract<RunEvent, { event: 'start' }> {
  const start = events.find((event) => event.event === 'start');
  if (start === undefined) throw new Error('the run has not started');
  return start;
}

function endOf(events: readonly RunEvent[]): EndEvent {
  const end = events.at(-1);
  if (end?.event !== 'end') throw new Error(`the last event is ${end?.event ?? 'none'}`);
  return end;
}

const epochsOf = (events: readonly RunEvent[]): readonly EpochEvent[] => events.filter((event) => event.event === 'epoch');

const eventsIn = (metrics: string): readonly RunEvent[] => metrics.trimEnd().split('\n').map((line) => JSON.parse(line) as RunEvent);

const measured = ({ epoch, step, loss, accuracy, validation, parametersSha256 }: EpochEvent) => ({ epoch, step, loss, accuracy, validation, parametersSha256 });

const outcome = ({ parametersSha256, steps, epochs, trainExamples, test, stoppedEarly }: EndEvent) => ({ parametersSha256, steps, epochs, trainExamples, test, stoppedEarly });
