import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { uniformStream } from '@lockstep/core';
import { TokenFileWriter } from '@lockstep/text';
import { measureSteps, readSteps } from '../contestants/lockstep-run.ts';
import { peakMemory } from '../memory/peak-memory.ts';
import type { FineTuning, FineTuningRun } from './fine-tuning.ts';

const CLI = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));
/** Of random tokens, which are all as much work. */
const ROWS = 64;
const VOCABULARY = 49_152;
const WARM_UP_STEPS = 4;

/** `lockstep train`, timed by its own step events after the first few. */
export async function fineTuneWithLockstep({ model, rank, tokens, processes, steps }: FineTuning, directory: string, signal: AbortSignal): Promise<FineTuningRun> {
  const file = join(directory, 'random.tokens');
  await writeRandomTokens(file, tokens);
  const lora = rank === null ? [] : ['--model.lora.rank', String(rank), '--model.lora.targets', 'q_proj'];
  const child = spawn(process.execPath, [
    CLI, 'train', '--json', '--runs-dir', directory, '--run', 'run', '--workers', String(processes), '--data', `tokens:${file}`, '--data.source.row-length', String(tokens),
    '--model', 'pretrained', '--model.path', model, ...lora, '--optimizer', 'adamw', '--optimizer.learning-rate', '1e-4',
    '--global-batch-size', String(processes), '--micro-batches', String(processes), '--epochs', '1000', '--max-steps', String(steps + WARM_UP_STEPS),
    '--checkpoints.every-epoch', 'false', '--failure-detection-ms', '20000',
  ], { stdio: ['ignore', 'ignore', 'inherit'], signal });
  const ended = new AbortController();
  const resident = peakMemory(child.pid ?? 0, ended.signal);
  const [code] = await once(child, 'exit') as [number | null];
  ended.abort();
  if (code !== 0) throw new Error(`fine-tuning ${model} ended with ${code}`);
  const { examplesPerSecond, steps: times } = measureSteps((await readSteps(join(directory, 'run', 'metrics.jsonl'))).slice(WARM_UP_STEPS - 1));
  await rm(join(directory, 'run'), { recursive: true });
  return { tokensPerSecond: examplesPerSecond, residentBytes: (await resident).get('worker') ?? 0, ...(times === undefined ? {} : { steps: times }) };
}

async function writeRandomTokens(path: string, rowLength: number): Promise<void> {
  using writer = new TokenFileWriter(path, { layout: 'stream', vocabularySize: VOCABULARY, rowLength: null, classNames: null, endOfText: null, padding: null, tokenizer: { kind: 'json', sha256: null } });
  const draw = uniformStream(1);
  const length = ROWS * rowLength + 1;
  writer.appendTokens(Uint32Array.from({ length }, () => Math.floor(draw() * VOCABULARY)));
  await writer.finish(length);
}
