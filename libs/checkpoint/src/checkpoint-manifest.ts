import { LockstepError, messageOf } from '@lockstep/core';
import { z } from 'zod';
import { runProgressSchema } from './run-progress.ts';

export const MANIFEST_FILE = 'manifest.json';
export const PARAMETERS_FILE = 'parameters.safetensors';
export const OPTIMIZER_FILE = 'optimizer.safetensors';

export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits');
const fileSchema = z.strictObject({ sha256: hashSchema, bytes: z.int().min(0) });

const manifestSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** Of the Lockstep that wrote it. */
  lockstepVersion: z.string(),
  runId: z.string(),
  configSha256: hashSchema,
  version: z.int().min(0),
  epoch: z.int().min(0),
  /** Samples of the epoch that are applied already. */
  samplesIntoEpoch: z.int().min(0),
  seed: z.int(),
  /** Of the flat vector, buffers included: what a receipt of this version says. */
  parametersSha256: hashSchema,
  /** The optimizer's state, one vector over all trainable parameters each; none for plain SGD. */
  optimizerSlots: z.array(z.string().min(1).max(64)).max(16),
  files: z.strictObject({ [PARAMETERS_FILE]: fileSchema, [OPTIMIZER_FILE]: fileSchema.optional() }),
  progress: runProgressSchema,
});

/** What a checkpoint is, and the SHA-256 of each of its files. */
export type CheckpointManifest = z.output<typeof manifestSchema>;

/** One reader a format version: each gives the newest form of what its version says. */
const READERS: Readonly<Record<number, (json: unknown) => CheckpointManifest>> = {
  1: (json) => manifestSchema.parse(json),
};

/**
 * Reads a manifest of any known format version.
 * @throws LockstepError `storage` naming the file and the field that is wrong, or the unknown format version.
 */
export function readManifest(text: string, path: string): CheckpointManifest {
  const json = parseJson(text, path);
  const { formatVersion } = Object(json) as { formatVersion?: unknown };
  const reader = typeof formatVersion === 'number' && Object.hasOwn(READERS, formatVersion) ? READERS[formatVersion] : undefined;
  if (reader === undefined) {
    throw new LockstepError('storage', `${path}: formatVersion is ${JSON.stringify(formatVersion) ?? 'missing'}, expected ${Object.keys(READERS).join(' or ')}`, {
      hint: 'a newer Lockstep may have written it: use that one',
    });
  }
  try {
    return reader(json);
  } catch (cause) {
    throw new LockstepError('storage', `${path} is damaged: ${cause instanceof z.ZodError ? inOneLine(cause) : messageOf(cause)}`, { cause });
  }
}

const inOneLine = (error: z.ZodError): string => z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' ');

/**
 * The text of a manifest, which `readManifest` gives back.
 * @throws ZodError naming a field that it could not give back.
 */
export const writeManifest = (manifest: CheckpointManifest): string => JSON.stringify(manifestSchema.parse(manifest), null, 2);

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new LockstepError('storage', `${path} is damaged: ${messageOf(cause)}`, { cause });
  }
}
