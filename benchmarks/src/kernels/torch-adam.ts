import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Contestant } from './interleaved.ts';

export interface TorchAdam {
  readonly version: string;
  /** One step of PyTorch's fused Adam on one thread. */
  readonly step: Contestant;
  close(): void;
}

const SCRIPT = fileURLToPath(new URL('torch_adam.py', import.meta.url));

/** Starts PyTorch beside this process, so that the two can take turns; null where `python` has no PyTorch. */
export async function startTorchAdam(python: string, length: number): Promise<TorchAdam | null> {
  const turns = Math.max(1, Math.round(2e7 / length));
  const child = spawn(python, [SCRIPT, String(length), String(turns)], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<undefined>((resolve) => {
    child.once('error', () => resolve(undefined)).once('close', () => resolve(undefined));
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = () => Promise.race([lines.next().then(({ value }) => value as string | undefined), ended]);
  const version = await nextLine();
  if (version === undefined) return null;
  return {
    version,
    async step() {
      child.stdin.write('step\n');
      return Number(await nextLine());
    },
    close: () => child.stdin.end(),
  };
}
