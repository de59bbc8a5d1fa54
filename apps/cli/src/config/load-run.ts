import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { importBundle, LockstepError, runSchema, type ConfigBundle, type RunConfig } from '@lockstep/core';
import { applyOverrides } from './apply-overrides.ts';
import { bundleConfig } from './bundle-config.ts';
import type { FieldOverride } from './config-flags.ts';
import { parseDataFlag } from './data-flag.ts';
import { checkOptions, isObject, normaliseOptions, type OptionsTree } from './normalise.ts';
import { renderIssues, type Mistake } from './render-issues.ts';

export interface LoadedRun {
  readonly config: RunConfig;
  /** The config file as a module, where its `model` is a function. */
  readonly customModel: ConfigBundle | null;
}

export interface LoadRunOptions {
  readonly configFile?: string | undefined;
  /** From flags; they win over the file. */
  readonly overrides: readonly FieldOverride[];
  /** `--data`'s value. */
  readonly dataFlag?: string | undefined;
}

interface ConfigFile {
  readonly options: OptionsTree;
  readonly bundle: ConfigBundle | null;
}

/**
 * Options in, config out: the file, the flags over it, checked and completed.
 * @throws LockstepError `config` with a line a mistake: the field's path, what it got, what is allowed, and where it was said.
 */
export async function loadRun({ configFile, overrides, dataFlag }: LoadRunOptions): Promise<LoadedRun> {
  const file = configFile === undefined ? { options: {}, bundle: null } : await readConfigFile(resolve(configFile));
  const all = [...(dataFlag === undefined ? [] : [dataOverride(dataFlag)]), ...overrides];
  const options = normaliseOptions(resolvePaths(applyOverrides(file.options, all), process.cwd()));
  const isCustom = isObject(options['model']) && options['model']['kind'] === 'custom';
  if (isCustom && file.bundle === null) throw mistakesError([customWithoutFunction], all, configFile, options);
  const parsed = runSchema.safeParse(options, { reportInput: true });
  if (!parsed.success) throw mistakesError(renderIssues(parsed.error.issues, options), all, configFile, options);
  return { config: parsed.data, customModel: isCustom ? file.bundle : null };
}

const customWithoutFunction: Mistake = {
  path: ['model'], text: 'model.kind: got "custom", expected a model of the zoo, or model: a function in the config file',
};

async function readConfigFile(path: string): Promise<ConfigFile> {
  const isFile = await stat(path).then((found) => found.isFile(), () => false);
  if (!isFile) throw new LockstepError('not-found', `no config file at ${path}`, { hint: 'name one with --config FILE' });
  const bundle = await bundleConfig(path);
  const options = normaliseOptions(checkOptions((await importBundle(bundle, path))['default'], path));
  const hasFunction = isObject(options['model']) && options['model']['kind'] === 'custom';
  return { options: resolvePaths(options, dirname(path)), bundle: hasFunction ? bundle : null };
}

function dataOverride(text: string): FieldOverride {
  return { path: ['data', 'source'], value: parseDataFlag(text), flag: '--data' };
}

/** A file's paths are relative to the file, a flag's to where the command runs. */
function resolvePaths(options: OptionsTree, base: string): OptionsTree {
  const { data, model } = options;
  const source = isObject(data) ? data['source'] : undefined;
  return {
    ...resolved(options, ['initFrom'], base),
    ...(isObject(data) && isObject(source) ? { data: { ...data, source: resolved(source, Object.keys(source).filter((key) => key !== 'kind'), base) } } : {}),
    ...(isObject(model) ? { model: resolved(model, ['path', 'weights'], base) } : {}),
  };
}

/** An asset is no path. */
function resolved(options: OptionsTree, fields: readonly string[], base: string): OptionsTree {
  const isPath = (key: string, value: unknown): value is string => fields.includes(key) && typeof value === 'string' && value !== '' && !value.startsWith('asset:');
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, isPath(key, value) ? resolve(base, value) : value]));
}

function mistakesError(mistakes: readonly Mistake[], overrides: readonly FieldOverride[], file: string | undefined, options: OptionsTree): LockstepError {
  return new LockstepError('config', mistakes.map((mistake) => `${mistake.text}${originOf(mistake, overrides, file, options)}`).join('\n'));
}

/** Who said it: a flag on the way to the field, else the file. */
function originOf({ path }: Mistake, overrides: readonly FieldOverride[], file: string | undefined, options: OptionsTree): string {
  const flag = overrides.findLast((override) => override.path.every((key, index) => path[index] === key))?.flag;
  if (flag !== undefined) return ` (from ${flag})`;
  const isSaid = path.slice(0, 1).every((key) => options[key] !== undefined);
  if (!isSaid) return ' (the default)';
  return file === undefined ? '' : ` (from ${file})`;
}
