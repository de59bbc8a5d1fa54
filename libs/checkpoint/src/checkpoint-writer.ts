import type { ParameterLayout } from '@lockstep/core';
import packageJson from '../package.json' with { type: 'json' };
import { checkpointDirectory, slotLayout } from './checkpoint-directory.ts';
import { OPTIMIZER_FILE, PARAMETERS_FILE } from './checkpoint-manifest.ts';
import { checkCheckpoint } from './checkpoint-reader.ts';
import { runFileJob, type FileChunks, type FileError } from './file-jobs.ts';
import type { RunDirectory } from './run-directory.ts';
import type { RunProgress } from './run-progress.ts';
import { encodeSafetensors } from './safetensors.ts';
import { storageError } from './storage-error.ts';

/** A run's state at a version. The vectors must stay as they are until it is written. */
export interface CheckpointContents {
  readonly runId: string;
  readonly configSha256: string;
  readonly version: number;
  readonly epoch: number;
  /** Samples of the epoch that are applied already. */
  readonly samplesIntoEpoch: number;
  readonly seed: number;
  readonly progress: RunProgress;
  readonly layout: ParameterLayout;
  /** The flat vector, buffers included. */
  readonly parameters: Float32Array;
  /** Of the flat vector. */
  readonly parametersSha256: string;
  /** The optimizer's state, each over the trainable parameters. */
  readonly slots: readonly OptimizerSlotData[];
}

export interface OptimizerSlotData {
  readonly name: string;
  readonly data: Float32Array;
}

export interface WrittenCheckpoint {
  /** Absolute. */
  readonly directory: string;
  readonly version: number;
}

/**
 * Writes a checkpoint whole or not at all: under a temporary name, synced, then renamed. Hashing and writing happen on
 * another thread. A whole checkpoint of this version, which has the same bytes, is left as it is; what earlier processes left half-written is removed.
 * @throws LockstepError `storage` naming the directory and the reason (disk full, not permitted), with the remedy.
 */
export async function writeCheckpoint(run: RunDirectory, contents: CheckpointContents): Promise<WrittenCheckpoint> {
  const { version, parametersSha256 } = contents;
  const directory = checkpointDirectory(run, version);
  const isWhole = await checkCheckpoint(run, version).then(() => true, () => false);
  if (isWhole) return { directory, version };
  const { layout, parameters, slots, runId, configSha256, epoch, samplesIntoEpoch, seed, progress } = contents;
  const optimizerSlots = slots.map(({ name }) => name);
  // Nothing of the run itself: equal states are equal files.
  const metadata = { format: 'lockstep', version: String(version) };
  const files: FileChunks[] = [{ name: PARAMETERS_FILE, chunks: encodeSafetensors(layout, parameters, metadata) }];
  if (slots.length > 0) files.push({ name: OPTIMIZER_FILE, chunks: encodeSafetensors(slotLayout(optimizerSlots, layout), slots.map(({ data }) => data), metadata) });
  await runFileJob({
    kind: 'checkpoint', directory, files,
    manifest: { formatVersion: 1, lockstepVersion: packageJson.version, runId, configSha256, version, epoch, samplesIntoEpoch, seed, parametersSha256, optimizerSlots, progress },
  }).catch((cause: FileError) => { throw storageError(`cannot write ${cause.path ?? directory}`, cause); });
  return { directory, version };
}
