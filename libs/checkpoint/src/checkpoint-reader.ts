import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LockstepError, messageOf, type ParameterLayout } from '@lockstep/core';
import { checkpointDirectory, listCheckpoints, slotLayout } from './checkpoint-directory.ts';
import { MANIFEST_FILE, OPTIMIZER_FILE, PARAMETERS_FILE, readManifest, type CheckpointManifest } from './checkpoint-manifest.ts';
import type { OptimizerSlotData } from './checkpoint-writer.ts';
import { runFileJob } from './file-jobs.ts';
import type { RunDirectory } from './run-directory.ts';
import { decodeSafetensors, flatFromTensors, type NamedTensor } from './safetensors.ts';
import { storageError } from './storage-error.ts';

export interface Checkpoint extends Omit<CheckpointManifest, 'formatVersion' | 'files' | 'optimizerSlots'> {
  /** Absolute. */
  readonly directory: string;
  /** The flat vector, buffers included. */
  readonly parameters: Float32Array;
  /** Each over the trainable parameters. */
  readonly slots: readonly OptimizerSlotData[];
}

/** A checkpoint's tensors as its files name them, whatever the model. */
export interface CheckpointTensors {
  readonly manifest: CheckpointManifest;
  readonly parameters: readonly NamedTensor[];
  /** `exp_avg/conv1/kernel`; none for plain SGD. */
  readonly optimizer: readonly NamedTensor[];
}

/** A manifest names a few files: one that is longer than this is none. */
const MAX_MANIFEST_BYTES = 1_000_000;

/**
 * Reads a checkpoint whose tensors must be those of `layout`; every byte is checked first.
 * @throws LockstepError `not-found` if there is none of this version, `storage` naming the file that is missing, truncated,
 * damaged, of an unknown format version or of another model.
 */
export async function readCheckpoint(run: RunDirectory, version: number, layout: ParameterLayout): Promise<Checkpoint> {
  const { manifest, parameters, optimizer } = await readCheckpointTensors(run, version);
  const { formatVersion: _, files: __, optimizerSlots, ...rest } = manifest;
  const directory = checkpointDirectory(run, version);
  const state = within(join(directory, OPTIMIZER_FILE), () => flatFromTensors(slotLayout(optimizerSlots, layout), optimizer));
  const length = layout.trainableLength;
  return {
    ...rest,
    directory,
    parameters: within(join(directory, PARAMETERS_FILE), () => flatFromTensors(layout, parameters)),
    slots: optimizerSlots.map((name, index) => ({ name, data: state.subarray(index * length, (index + 1) * length) })),
  };
}

/** The newest checkpoint that is whole, or null. Each newer one that is not is told of, by what `readCheckpoint` throws. */
export async function newestCheckpoint(
  run: RunDirectory, layout: ParameterLayout, { onSkipped }: { readonly onSkipped: (error: LockstepError) => void },
): Promise<Checkpoint | null> {
  for (const version of (await listCheckpoints(run)).toReversed()) {
    try {
      return await readCheckpoint(run, version, layout);
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      onSkipped(error);
    }
  }
  return null;
}

/** As `readCheckpoint`, but without a model to compare with. */
export async function readCheckpointTensors(run: RunDirectory, version: number): Promise<CheckpointTensors> {
  const manifest = await readCheckpointManifest(run, version);
  const read = async (name: typeof PARAMETERS_FILE | typeof OPTIMIZER_FILE) => {
    const path = join(checkpointDirectory(run, version), name);
    const bytes = await readFileOf(manifest, name, path);
    return bytes === null ? [] : within(path, () => decodeSafetensors(bytes).tensors);
  };
  return { manifest, parameters: await read(PARAMETERS_FILE), optimizer: await read(OPTIMIZER_FILE) };
}

/** Checks every byte of a checkpoint against its manifest. @throws LockstepError as `readCheckpoint` does. */
export async function checkCheckpoint(run: RunDirectory, version: number): Promise<CheckpointManifest> {
  const manifest = await readCheckpointManifest(run, version);
  for (const name of [PARAMETERS_FILE, OPTIMIZER_FILE] as const) {
    await readFileOf(manifest, name, join(checkpointDirectory(run, version), name));
  }
  return manifest;
}

/** What a checkpoint says of itself; its other files are not looked at. @throws LockstepError as `readCheckpoint` does. */
export async function readCheckpointManifest(run: RunDirectory, version: number): Promise<CheckpointManifest> {
  const directory = checkpointDirectory(run, version);
  const path = join(directory, MANIFEST_FILE);
  if (!(await stat(directory).then((found) => found.isDirectory(), () => false))) {
    throw new LockstepError('not-found', `no checkpoint of version ${version} in ${run.path}`);
  }
  const manifest = readManifest(await readBounded(path), path);
  if (manifest.version !== version) {
    throw new LockstepError('storage', `${path}: version is ${manifest.version}, expected ${version} as in the directory's name`);
  }
  return manifest;
}

async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > MAX_MANIFEST_BYTES) throw new Error(`it has ${size} bytes, expected ${MAX_MANIFEST_BYTES} at most`);
    return await file.readFile('utf8');
  } catch (cause) {
    throw storageError(`cannot read ${path}`, cause);
  }
}

/** A file's bytes, or null where the manifest names no such file. */
async function readFileOf({ files }: CheckpointManifest, name: keyof CheckpointManifest['files'], path: string): Promise<Uint8Array | null> {
  const expected = files[name];
  if (expected === undefined) return null;
  const { bytes, sha256 } = await runFileJob({ kind: 'read', path, expectedBytes: expected.bytes }).catch((cause: unknown) => {
    throw storageError(`cannot read ${path}`, cause);
  });
  if (sha256 !== expected.sha256) throw new LockstepError('storage', `${path} is damaged: its SHA-256 is ${sha256}, expected ${expected.sha256}`);
  return bytes;
}

function within<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new LockstepError('storage', `${path}: ${messageOf(cause)}`, { cause });
  }
}
