import { fileURLToPath } from 'node:url';
import { runProcess } from '../process.ts';

const SCRIPT = fileURLToPath(new URL('../../peers/allreduce.py', import.meta.url));

/** Median milliseconds of gloo's all-reduce by size in MB, with so many processes of one thread. */
export async function runGloo(python: string, processes: number, signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
  const output = await runProcess(python, ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', String(processes), SCRIPT], {
    signal, env: { OMP_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' },
  });
  const lines = output.trim().split('\n').map((line) => JSON.parse(line) as { readonly mb: number; readonly ms: number });
  return new Map(lines.map(({ mb, ms }) => [mb, ms]));
}
