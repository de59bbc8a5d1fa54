import { resolve } from 'node:path';
import { LockstepError } from '@lockstep/core';
import { budgetsOf, planPoints, type GridAxis, type RandomAxis } from '@lockstep/search';
import type { Command } from 'commander';
import { readConfigFlags } from '../config/index.ts';
import { needsValidation } from './metric.ts';
import { readSpaceFlags } from './space-flags.ts';
import { configFlagsOf, type SweepOptions } from './sweep-options.ts';
import { rungsOf, trialFlags, type SweepPlan } from './sweep-plan.ts';
import { checkTrial, type CheckedTrial } from './trial-config.ts';

/** Draws are made from the runs' own seed where the command line says it. */
const DEFAULT_SEED = 42;

/**
 * The sweep that the command line describes, every config of it checked.
 * @throws LockstepError `usage` where flags do not go together, `config` with a line for each mistake in any trial.
 */
export async function planSweep(command: Command, options: SweepOptions): Promise<SweepPlan> {
  const halving = readHalving(options);
  const { grid, random, mistakes } = readSpaceFlags(options.grid, options.random);
  requireSpace(options);
  const flags = commonFlags(command, options);
  const seed = Number(command.getOptionValue('seed') ?? DEFAULT_SEED);
  const points = planPoints({ grid, random, numDraws: options.trials ?? 1, seed });
  const checked = await checkAll(points.map((fields) => trialFlags({ flags, halving }, fields, halving?.budgets.at(-1) ?? null)));
  throwMistakes([...mistakes, ...contradictions(command, [...grid, ...random], halving), ...mistakesOf(checked)], checked, options);
  return {
    formatVersion: 1, flags, metric: options.metric, halving, logFields: logFieldsOf(grid, random), failures: {},
    trials: points.map((fields, trial) => ({ fields: [...fields], configSha256: shaOf(checked[trial]!) })),
  };
}

/** @throws LockstepError `config` where the config that a trial would have is no longer the one that it was planned with. */
export async function requireSamePlan(plan: SweepPlan, name: string): Promise<void> {
  const checked = await checkAll(plan.trials.map(({ fields }) => trialFlags(plan, fields, rungsOf(plan).at(-1) ?? null)));
  const changed = plan.trials.findIndex(({ configSha256 }, trial) => shaOf(checked[trial]!) !== configSha256);
  if (changed < 0) return;
  throw new LockstepError('config', `sweep ${name}: the config of trial ${changed} is not what it was when the sweep began`, {
    hint: 'put the config file back as it was, and go on in the directory where the sweep was begun',
  });
}

function readHalving({ halving, budgetEpochs, budgetSteps, factor, metric }: SweepOptions): SweepPlan['halving'] {
  const range = budgetEpochs ?? budgetSteps;
  if (halving === undefined && range === undefined) return null;
  const isOne = (budgetEpochs === undefined) !== (budgetSteps === undefined);
  if (halving === undefined || range === undefined || !isOne) throw new LockstepError('usage', '--halving goes with one of --budget-epochs MIN..MAX and --budget-steps MIN..MAX');
  if (!needsValidation(metric)) throw new LockstepError('usage', `--halving compares unfinished runs, which have no test ${metric}: expected --metric validation.loss or validation.accuracy`);
  return { unit: budgetEpochs === undefined ? 'steps' : 'epochs', factor, budgets: [...budgetsOf({ ...range, factor })] };
}

function requireSpace({ grid, random, trials }: SweepOptions): void {
  if (grid.length + random.length === 0) throw new LockstepError('usage', 'nothing to try', { hint: 'say --grid FIELD=VALUE,VALUE or --random FIELD=LOW..HIGH --trials N' });
  if (random.length > 0 !== (trials !== undefined)) throw new LockstepError('usage', '--random and --trials N go together: so many draws are made');
}

function commonFlags(command: Command, { config, data }: SweepOptions): string[] {
  return [...(config === undefined ? [] : ['--config', resolve(config)]), ...(data === undefined ? [] : ['--data', data]), ...configFlagsOf(command)];
}

/** One after another: each bundles the config file. */
async function checkAll(trials: readonly (readonly string[])[]): Promise<readonly CheckedTrial[]> {
  const checked: CheckedTrial[] = [];
  for (const flags of trials) checked.push(await checkTrial(flags));
  return checked;
}

/** Fields that two flags set, or a flag and the budget. */
function contradictions(command: Command, axes: readonly { readonly field: string }[], halving: SweepPlan['halving']): string[] {
  const set = new Map(readConfigFlags(command).map(({ path, flag }) => [path.join('.'), flag]));
  const budget = { epochs: ['epochs'], steps: ['epochs', 'maxSteps'] }[halving?.unit ?? 'epochs'];
  return [
    ...axes.filter(({ field }) => set.has(field)).map(({ field }) => `${field}: got a list or range and ${set.get(field)}, expected one of them`),
    ...(halving === null ? [] : budget.filter((field) => set.has(field) || axes.some((axis) => axis.field === field)).map((field) => `${field}: the budget of --halving says it, leave it out`)),
  ];
}

const mistakesOf = (checked: readonly CheckedTrial[]): string[] => checked.flatMap((trial) => (trial.kind === 'wrong' ? trial.mistakes : []));

function throwMistakes(mistakes: readonly string[], checked: readonly CheckedTrial[], { metric }: SweepOptions): void {
  const lacksValidation = needsValidation(metric) && checked.some((trial) => trial.kind === 'sound' && trial.config.data.validation === 0);
  const lines = [...new Set([...mistakes, ...(lacksValidation ? [`data.validation: got 0, expected a share above 0: trials are compared by ${metric}`] : [])])];
  if (lines.length === 0) return;
  throw new LockstepError('config', lines.join('\n'), lacksValidation ? { hint: 'hold samples out, --data.validation 0.1, or compare the losses on the test set with --metric loss' } : {});
}

const shaOf = (trial: CheckedTrial): string => (trial.kind === 'sound' ? trial.configSha256 : '');

/** Drawn so, or listed over a factor of ten and more. */
function logFieldsOf(grid: readonly GridAxis[], random: readonly RandomAxis[]): string[] {
  const isWide = ({ texts }: GridAxis): boolean => {
    const values = texts.map(Number);
    return values.every((value) => value > 0) && Math.max(...values) >= 10 * Math.min(...values);
  };
  return [...grid.filter(isWide), ...random.filter(({ kind }) => kind === 'log')].map(({ field }) => field);
}

