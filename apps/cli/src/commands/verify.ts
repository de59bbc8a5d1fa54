import { access, readFile } from 'node:fs/promises';
import {
  compareCheckpoints, compareReceipts, compareTensors, decodeSafetensors, openRunDirectory, readReceipts,
  type CheckpointComparison, type ReceiptComparison, type RunDirectory, type RunReceipt, type TensorDifference,
} from '@lockstep/checkpoint';
import { LockstepError, messageOf } from '@lockstep/core';
import { Command } from 'commander';
import { renderVerification } from './render-verification.ts';

/** What `lockstep verify` finds; as it is with `--json`. */
export interface Verification {
  readonly same: boolean;
  readonly receipts: ReceiptComparison;
  readonly checkpoints: CheckpointComparison;
  /** Of the final models, or null where a run has none. */
  readonly tensors: readonly TensorDifference[] | null;
  /** Settings of the runs that differ and may be why, `numerics.intraOpThreads`. */
  readonly settings: readonly { readonly field: string; readonly a: string; readonly b: string }[];
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Say whether two runs are the same, bit for bit, or at which step, micro-batch and tensor they first differ. Exits with 1 where they differ.')
    .argument('<a>', 'name or path of a run')
    .argument('<b>', 'name or path of another')
    .option('--runs-dir <dir>', 'where runs are', 'runs')
    .option('--json', 'print one JSON object')
    .action(async (a: string, b: string, options: { runsDir: string; json?: true }) => {
      const [runA, runB] = [await openRunDirectory(options.runsDir, a), await openRunDirectory(options.runsDir, b)];
      const verification = await verify(runA, runB);
      console.log(options.json ? JSON.stringify(verification) : renderVerification(verification, runA.name, runB.name));
      process.exitCode = verification.same ? 0 : 1;
    });
}

async function verify(a: RunDirectory, b: RunDirectory): Promise<Verification> {
  const receipts = await compareReceipts(readReceipts(receiptsOf(a)), readReceipts(receiptsOf(b)));
  const checkpoints = await compareCheckpoints(a, b);
  const models = await Promise.all([a, b].map(readTensors));
  const tensors = models[0] && models[1] ? compareTensors(models[0], models[1]) : null;
  const settings = differingSettings(await runReceiptOf(a), await runReceiptOf(b));
  const same = receipts.same && checkpoints.firstDifference === null && (tensors === null || tensors.length === 0);
  return { same, receipts, checkpoints, tensors, settings };
}

const receiptsOf = (run: RunDirectory): string => run.file('receipts.jsonl');

async function readTensors(run: RunDirectory) {
  const path = run.file('model.safetensors');
  if (!(await access(path).then(() => true, () => false))) return null;
  try {
    return decodeSafetensors(await readFile(path)).tensors;
  } catch (cause) {
    throw new LockstepError('storage', `${path}: ${messageOf(cause)}`, { cause });
  }
}

async function runReceiptOf(run: RunDirectory): Promise<RunReceipt> {
  for await (const record of readReceipts(receiptsOf(run))) {
    if (record.kind === 'run') return record;
    break;
  }
  throw new LockstepError('storage', `${receiptsOf(run)}:1: the first record does not say what the run is`);
}

function differingSettings(a: RunReceipt, b: RunReceipt): Verification['settings'] {
  const [left, right] = [settingsOf(a), settingsOf(b)];
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((field) => ({ field, a: left.get(field) ?? 'nothing', b: right.get(field) ?? 'nothing' }))
    .filter((setting) => setting.a !== setting.b);
}

function settingsOf({ seed, parameters, configSha256, numerics }: RunReceipt): Map<string, string> {
  const settings = Object.entries(numerics).map(([key, value]) => [`numerics.${key}`, String(value)] as const);
  return new Map([['seed', String(seed)], ['parameters', String(parameters)], ['configSha256', configSha256], ...settings]);
}
