import { fileURLToPath } from 'node:url';
import { runTorch } from '../torch-run.ts';

const SCRIPT = fileURLToPath(new URL('../../peers/allreduce.py', import.meta.url));

/** Median milliseconds of gloo's all-reduce by size in MB, with so many processes of one thread. */
export async function runGloo(python: string, processes: number, signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
  const output = await runTorch(python, processes, SCRIPT, [], signal);
  const lines = output.trim().split('\n').map((line) => JSON.parse(line) as { readonly mb: number; readonly ms: number });
  return new Map(lines.map(({ mb, ms }) => [mb, ms]));
}
