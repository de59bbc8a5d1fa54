import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ParameterLayout } from '@lockstep/core';
import packageJson from '../package.json' with { type: 'json' };
import { replaceDirectory, sweepLeftovers, syncDirectory } from './atomic-file.ts';
import { checkpointDirectory, checkpointsOf, slotLayout } from './checkpoint-directory.ts';
import { MANIFEST_FILE, OPTIMIZER_FILE, PARAMETERS_FILE, writeManifest, type CheckpointManifest } from './checkpoint-manifest.ts';
import { checkCheckpoint } from './checkpoint-reader.ts';
import { runFileJob } from './file-jobs.ts';
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
  /** Of the flat vector. */
  readonly parametersSha256: string;
}

/**
 * Writes a checkpoint whole or not at all: under a temporary name, synced, then renamed. Hashing and writing happen on
 * another thread. A whole checkpoint of this version, which has the same bytes, is left as it is; what earlier processes left half-written is removed.
 * @throws LockstepError `storage` naming the directory and the reason (disk full, not permitted), with the remedy.
 */
export async function writeCheckpoint(run: RunDirectory, contents: CheckpointContents): Promise<WrittenCheckpoint> {
  const { version } = contents;
  const directory = checkpointDirectory(run, version);
  await prepareDirectory(run);
  const existing = await checkCheckpoint(run, version).catch(() => null);
  if (existing !== null) return { directory, version, parametersSha256: existing.parametersSha256 };
  let parametersSha256 = '';
  await replaceDirectory(directory, async (temporary) => {
    const manifest = await writeTensors(temporary, contents);
    ({ parametersSha256 } = manifest);
    await runFileJob({ kind: 'write', path: join(temporary, MANIFEST_FILE), chunks: [Buffer.from(writeManifest(manifest))], hashLastChunk: false });
  });
  return { directory, version, parametersSha256 };
}

async function prepareDirectory(run: RunDirectory): Promise<void> {
  const directory = checkpointsOf(run);
  try {
    const made = await mkdir(directory, { recursive: true });
    if (made !== undefined) await syncDirectory(run.path);
    await sweepLeftovers(directory);
  } catch (cause) {
    throw storageError(`cannot write ${directory}`, cause);
  }
}

async function writeTensors(temporary: string, { layout, parameters, slots, ...contents }: CheckpointContents): Promise<CheckpointManifest> {
  const { runId, configSha256, version, epoch, samplesIntoEpoch, seed, progress } = contents;
  // Nothing of the run itself: equal states are equal files.
  const metadata = { format: 'lockstep', version: String(version) };
  const write = (name: string, chunks: readonly Uint8Array[], hashLastChunk: boolean) =>
    runFileJob({ kind: 'write', path: join(temporary, name), chunks, hashLastChunk });
  const { lastChunkSha256, ...parametersFile } = await write(PARAMETERS_FILE, encodeSafetensors(layout, parameters, metadata), true);
  const optimizerSlots = slots.map(({ name }) => name);
  const optimizer = slots.length === 0
    ? {}
    : { [OPTIMIZER_FILE]: fileEntry(await write(OPTIMIZER_FILE, encodeSafetensors(slotLayout(optimizerSlots, layout), slots.map(({ data }) => data), metadata), false)) };
  return {
    formatVersion: 1, lockstepVersion: packageJson.version, runId, configSha256, version, epoch, samplesIntoEpoch, seed,
    parametersSha256: lastChunkSha256!, optimizerSlots, files: { [PARAMETERS_FILE]: fileEntry(parametersFile), ...optimizer }, progress,
  };
}

const fileEntry = ({ sha256, bytes }: { sha256: string; bytes: number }) => ({ sha256, bytes });
