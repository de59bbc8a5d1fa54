import { runProcess } from './process.ts';

/** Runs a script of `benchmarks/peers` as so many PyTorch processes of one thread on this machine, and gives what they print. */
export function runTorch(python: string, processes: number, script: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  return runProcess(python, ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', String(processes), script, ...args], {
    signal, env: { OMP_NUM_THREADS: '1', PYTHONWARNINGS: 'ignore' },
  });
}
