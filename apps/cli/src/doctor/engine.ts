import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LockstepError, messageOf, type Capabilities, type Numerics } from '@lockstep/core';
import { detectCapabilities, numericsEnvironment } from '@lockstep/engine';
import { broken, ok, type Finding } from './finding.ts';

const PROBE = join(import.meta.dirname, 'engine-probe.ts');
const PROBE_TIMEOUT_MS = 60_000;
const REMEDY = 'Run `npm run setup` in the checkout.';

/** The engine's findings, and what it can do where it is set up. */
export interface EngineExamination {
  readonly finding: Finding;
  readonly capabilities: Capabilities | null;
}

/** Loads the native engine in a process of its own, since what goes wrong in it may end the process. */
export async function examineEngine(): Promise<EngineExamination> {
  try {
    const capabilities = await detectCapabilities('auto');
    const numerics = numericsOf(capabilities);
    const { stdout } = await promisify(execFile)(process.execPath, [PROBE, JSON.stringify(numerics)], {
      env: { ...process.env, ...numericsEnvironment(numerics) },
      timeout: PROBE_TIMEOUT_MS,
    });
    return { finding: ok('engine', `${capabilities.engineBuild}, ${stdout.trim()}`), capabilities };
  } catch (error) {
    const remedy = error instanceof LockstepError ? error.hint : undefined;
    return { finding: broken('engine', lastLine(error), remedy ?? REMEDY), capabilities: null };
  }
}

const numericsOf = ({ engineBuild, device, gpuKind, instructionSet }: Capabilities): Numerics =>
  ({ engineBuild, device, gpuKind, instructionSet, intraOpThreads: 1, oneDnn: true, deterministicOps: true });

/** Of a process that failed, the line of its stderr that names the error. */
function lastLine(error: unknown): string {
  const lines = error instanceof Error && 'stderr' in error ? String(error.stderr).split('\n') : [];
  return lines.findLast((line) => /error/i.test(line))?.trim() ?? messageOf(error);
}
