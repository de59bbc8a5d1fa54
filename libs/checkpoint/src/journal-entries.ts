import { z } from 'zod';
import { hashSchema } from './checkpoint-manifest.ts';
import { bestEpochSchema } from './run-progress.ts';

const count = z.int().min(0);
const numericsSchema = z.strictObject({
  engineBuild: z.string(),
  device: z.enum(['cpu', 'gpu', 'javascript']),
  gpuKind: z.string().nullable(),
  intraOpThreads: z.int(),
  oneDnn: z.boolean(),
  instructionSet: z.enum(['SSE41', 'AVX', 'AVX2', 'AVX512_CORE']),
  deterministicOps: z.boolean(),
});
const specSchema = z.strictObject({ name: z.string(), shape: z.array(count), kind: z.enum(['trainable', 'buffer', 'frozen']) });
/** What JSON has no number for is a text there: a model whose step was skipped may have a loss that is none. */
const score = z.union([z.custom<number>((value) => typeof value === 'number'), z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)]);
const scores = { loss: score, accuracy: score };

/** Everything that a coordinator must know again after its end, in the order in which it happened. */
export const journalEntrySchema = z.discriminatedUnion('kind', [
  /** The first entry: what the run is. `token` is what streams to its shards must present. */
  z.strictObject({ kind: z.literal('run'), formatVersion: z.literal(1), runId: z.string(), token: z.string(), configSha256: hashSchema, datasetSha256: hashSchema }),
  /** What the workers agreed on; `frozenSha256` is '' where nothing is frozen. */
  z.strictObject({ kind: z.literal('model'), specs: z.array(specSchema), topology: z.record(z.string(), z.unknown()), frozenSha256: z.string(), numerics: numericsSchema }),
  /** A worker was given this rank. */
  z.strictObject({ kind: z.literal('rank'), rank: count, hostname: z.string(), pid: count }),
  /** A shard host was given this number. */
  z.strictObject({ kind: z.literal('host'), host: count, hostKind: z.enum(['coordinator', 'worker', 'server']), hostname: z.string(), pid: count }),
  /** Where the shards are, in range order; in a new generation they start from `version`. */
  z.strictObject({
    kind: z.literal('placement'), generation: count, number: count, version: count,
    shards: z.array(z.strictObject({ host: count, replica: count.nullable() })),
  }),
  /** An epoch is over, evaluated and judged; `stop` says why the run ends with it, or null. */
  z.strictObject({
    kind: z.literal('epoch'), epoch: count, version: count, ...scores, validation: z.strictObject(scores).nullable(),
    elapsedSeconds: z.number(), examplesPerSecond: z.number(), parametersSha256: hashSchema, best: bestEpochSchema.nullable(), stop: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('end'), version: count, parametersSha256: hashSchema }),
]);

export type JournalEntry = z.output<typeof journalEntrySchema>;
export type EntryOf<Kind extends JournalEntry['kind']> = Extract<JournalEntry, { kind: Kind }>;

export const entryToJson = (entry: JournalEntry): string =>
  JSON.stringify(entry, (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value));
