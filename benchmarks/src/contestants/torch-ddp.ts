import { fileURLToPath } from 'node:url';
import { runProcess } from '../process.ts';
import { runTorch } from '../torch-run.ts';
import type { Measurement } from '../measurement.ts';
import { BATCH, WARM_UP, type Workload } from '../workload.ts';

const SCRIPT = fileURLToPath(new URL('../../peers/ddp.py', import.meta.url));

/** PyTorch's version, or null where `python` cannot import it. */
export async function torchVersion(python: string, signal: AbortSignal): Promise<string | null> {
  const version = runProcess(python, ['-c', 'import torch, numpy; print(torch.__version__)'], { signal });
  return version.then((text) => text.trim(), () => null);
}

/** DDP over gloo on this machine: processes of one thread, `BATCH` samples each a step. */
export async function runTorchDdp(python: string, { model, steps }: Workload, processes: number, signal: AbortSignal): Promise<Measurement> {
  const timedSteps = Math.ceil(steps * (1 - WARM_UP));
  const output = await runTorch(python, processes, SCRIPT, ['--model', model, '--batch', String(BATCH), '--steps', String(timedSteps)], signal);
  return JSON.parse(output) as Measurement;
}
