import { fileURLToPath } from 'node:url';
import { runProcess } from '../process.ts';
import { runTorch } from '../torch-run.ts';
import type { FineTuning, FineTuningRun } from './fine-tuning.ts';

const SCRIPT = fileURLToPath(new URL('../../peers/lora.py', import.meta.url));

/** Whether `python` has what the peer needs. */
export function hasTransformers(python: string, signal: AbortSignal): Promise<boolean> {
  return runProcess(python, ['-c', 'import torch, transformers, peft, gguf'], { signal }).then(() => true, () => false);
}

/** DDP with transformers and peft. */
export async function fineTuneWithTorch(python: string, { model, rank, tokens, processes, steps }: FineTuning, signal: AbortSignal): Promise<FineTuningRun> {
  const lora = rank === null ? [] : ['--rank', String(rank)];
  const output = await runTorch(python, processes, SCRIPT, ['--model', model, ...lora, '--tokens', String(tokens), '--steps', String(steps)], signal);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as FineTuningRun;
}
