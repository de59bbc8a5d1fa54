import { readFile } from 'node:fs/promises';
import { LockstepError, messageOf } from '@lockstep/core';
import { clusterSchema, PRESETS, type Cluster, type Preset } from '@lockstep/simulation';
import type { z } from 'zod';
import { closestWord } from '../config/closest-word.ts';
import { describeExpected } from '../config/describe-expected.ts';
import { clusterFields, flagOf } from './cluster-fields.ts';

/** A cluster that is asked about. */
export interface NamedCluster {
  readonly name: string;
  readonly cluster: Cluster;
}

/** Where a cluster's fields come from; what comes later counts. */
export interface ClusterSources {
  /** `cnn-25g,llm-7b-100g`: one cluster each. */
  readonly preset: string | undefined;
  /** A JSON file. */
  readonly file: string | undefined;
  readonly flags: Readonly<Record<string, unknown>>;
}

/**
 * The clusters of presets, each with the file's fields and the flags' laid over it; one cluster where no preset is named.
 * @throws LockstepError `usage` for an unknown preset, `not-found` or `config` for the file, `config` with a line for each wrong field.
 */
export async function loadClusters({ preset, file, flags }: ClusterSources): Promise<NamedCluster[]> {
  const fields = file === undefined ? {} : await readClusterFile(file);
  const names = preset === undefined ? [null] : preset.split(',').map(requirePreset);
  return names.map((name) => ({
    name: name ?? file ?? 'cluster',
    cluster: parse({ ...(name === null ? {} : PRESETS[name]), ...fields, ...flags }, (field) => (field in flags ? flagOf(field) : file)),
  }));
}

function requirePreset(name: string): Preset {
  if (name in PRESETS) return name as Preset;
  throw new LockstepError('usage', `--preset: got ${name}, expected one of ${Object.keys(PRESETS).join(', ')}`);
}

async function readClusterFile(file: string): Promise<object> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LockstepError('not-found', `cannot read ${file}: ${messageOf(cause)}`, { cause });
  });
  const value = parseJson(file, text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new LockstepError('config', `${file}: got ${text.slice(0, 40)}, expected an object with fields of a cluster`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LockstepError('config', `${file}: no JSON: ${messageOf(cause)}`, { cause });
  }
}

function parse(options: Readonly<Record<string, unknown>>, sourceOf: (field: string) => string | undefined): Cluster {
  const parsed = clusterSchema.safeParse(options);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => mistakesOf(issue, options)).map(({ field, text }) => {
    const source = sourceOf(field);
    return `${field}: ${text}${source === undefined ? '' : ` (from ${source})`}`;
  });
  throw new LockstepError('config', [...new Set(lines)].join('\n'));
}

function mistakesOf(issue: z.core.$ZodIssue, options: Readonly<Record<string, unknown>>): { field: string; text: string }[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((field) => ({ field, text: unknownField(field) }));
  const field = String(issue.path[0]);
  const expected = issue.code === 'custom' ? issue.message : describeExpected(clusterFields.get(field) ?? {});
  return [{ field, text: `got ${JSON.stringify(options[field])}, expected ${expected}` }];
}

function unknownField(field: string): string {
  const meant = closestWord(field, [...clusterFields.keys()]);
  return `unknown field${meant === null ? '' : `, did you mean ${meant}?`}`;
}
