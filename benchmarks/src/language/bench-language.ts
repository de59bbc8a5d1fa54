import { medianOf } from '@lockstep/core';
import { resolveAsset } from '@lockstep/pretrained';
import type { BenchRow } from '../bench-row.ts';
import { pairedRatio } from '../statistics.ts';
import type { FineTuning, FineTuningRun } from './fine-tuning.ts';
import { fineTuneWithLockstep } from './run-lockstep.ts';
import { fineTuneWithTorch, hasTransformers } from './run-torch.ts';

/** LoRA as fast as PyTorch, in at most 1.1 times its memory. */
const SPEED_GOAL = 1;
const MEMORY_GOAL = 1 / 1.1;

export interface LanguageBenchOptions {
  readonly python: string;
  readonly repetitions: number;
  readonly quick: boolean;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Fine-tuning SmolLM2-135M on two workers beside PyTorch DDP with transformers and peft: tokens a second, and memory a worker. */
export async function benchLanguage({ python, repetitions, quick, directory, signal }: LanguageBenchOptions): Promise<readonly BenchRow[]> {
  const model = await resolveAsset('asset:smollm2');
  const withTorch = await hasTransformers(python, signal);
  const rows: BenchRow[] = [];
  for (const tuning of tuningsOf(model, quick)) {
    const [ours, theirs]: [FineTuningRun[], FineTuningRun[]] = [[], []];
    for (let round = 1; round <= repetitions; round += 1) {
      ours.push(await fineTuneWithLockstep(tuning, directory, signal));
      if (withTorch) theirs.push(await fineTuneWithTorch(python, tuning, signal));
      process.stderr.write(`${tuning.name}, round ${round} of ${repetitions}: ${describe(ours.slice(-1))}${withTorch ? `, PyTorch ${describe(theirs.slice(-1))}` : ''}\n`);
    }
    rows.push(...rowsOf(tuning, ours, theirs));
  }
  return rows;
}

const tuningsOf = (model: string, quick: boolean): FineTuning[] => [
  { name: 'SmolLM2-135M, LoRA of rank 8, 64 tokens a worker', model, rank: 8, tokens: 64, processes: 2, steps: quick ? 8 : 40 },
  { name: 'SmolLM2-135M, all parameters, 64 tokens a worker', model, rank: null, tokens: 64, processes: 2, steps: quick ? 4 : 12 },
];

function rowsOf({ name, rank }: FineTuning, ours: readonly FineTuningRun[], theirs: readonly FineTuningRun[]): BenchRow[] {
  const isLora = rank !== null;
  return [
    row(`${name}: tokens/s`, ours, theirs, ({ tokensPerSecond }) => tokensPerSecond, (rate) => `${rate.toFixed(0)} tokens/s`, isLora ? SPEED_GOAL : null),
    { ...row(`${name}: memory a worker`, ours, theirs, ({ residentBytes }) => 1 / residentBytes, (inverse) => `${(1 / inverse / 1e9).toFixed(2)} GB`, isLora ? MEMORY_GOAL : null), note: "the ratio is PyTorch's memory over ours; ours at its peak, loading included, PyTorch's while it trains" },
  ];
}

function row(name: string, ours: readonly FineTuningRun[], theirs: readonly FineTuningRun[], figure: (run: FineTuningRun) => number, text: (value: number) => string, goal: number | null): BenchRow {
  const blank = { group: 'l' as const, name, ours: text(medianOf(ours.map(figure))), goal };
  if (theirs.length === 0) return { ...blank, peer: '–', ratio: null, range: null, note: 'skipped: PyTorch with transformers, peft and gguf is not installed (docs/benchmarks.md says how)' };
  const { median, least, greatest } = pairedRatio(ours.map(figure), theirs.map(figure));
  return { ...blank, peer: `${text(medianOf(theirs.map(figure)))}, PyTorch DDP`, ratio: median, range: { least, greatest } };
}

const describe = (runs: readonly FineTuningRun[]): string =>
  runs.map(({ tokensPerSecond, residentBytes }) => `${tokensPerSecond.toFixed(0)} tokens/s, ${(residentBytes / 1e9).toFixed(2)} GB`).join('');
