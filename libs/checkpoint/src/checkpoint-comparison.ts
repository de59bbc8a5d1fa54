import { LockstepError } from '@lockstep/core';
import { listCheckpoints } from './checkpoint-directory.ts';
import { OPTIMIZER_FILE, type CheckpointManifest } from './checkpoint-manifest.ts';
import { readCheckpointManifest, readCheckpointTensors } from './checkpoint-reader.ts';
import type { RunDirectory } from './run-directory.ts';
import { compareTensors, type TensorDifference } from './tensor-comparison.ts';

export interface CheckpointComparison {
  /** The versions that both runs have a checkpoint of, up to the first that differs. */
  readonly versions: readonly number[];
  /** The tensors that differ there: of the parameters, then of the optimizer's state. */
  readonly firstDifference: { readonly version: number; readonly tensors: readonly TensorDifference[] } | null;
  /** What is wrong with those that could not be read. */
  readonly skipped: readonly string[];
}

/** Compares the states that two runs have a checkpoint of, oldest first, by their hashes, and the tensors of the first that differ. */
export async function compareCheckpoints(a: RunDirectory, b: RunDirectory): Promise<CheckpointComparison> {
  const others = new Set(await listCheckpoints(b));
  const common = (await listCheckpoints(a)).filter((version) => others.has(version));
  const versions: number[] = [];
  const skipped: string[] = [];
  for (const version of common) {
    try {
      const tensors = await compareAt(a, b, version);
      versions.push(version);
      if (tensors !== null) return { versions, firstDifference: { version, tensors }, skipped };
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      skipped.push(error.message);
    }
  }
  return { versions, firstDifference: null, skipped };
}

/** Null where the states are the same. */
async function compareAt(a: RunDirectory, b: RunDirectory, version: number): Promise<readonly TensorDifference[] | null> {
  const [x, y] = await Promise.all([readCheckpointManifest(a, version), readCheckpointManifest(b, version)]);
  if (stateOf(x) === stateOf(y)) return null;
  const [left, right] = [await readCheckpointTensors(a, version), await readCheckpointTensors(b, version)];
  return [...compareTensors(left.parameters, right.parameters), ...compareTensors(left.optimizer, right.optimizer)];
}

const stateOf = ({ parametersSha256, files }: CheckpointManifest): string => `${parametersSha256} ${files[OPTIMIZER_FILE]?.sha256 ?? ''}`;
