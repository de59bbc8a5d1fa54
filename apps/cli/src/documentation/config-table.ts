import { runSchema } from '@lockstep/core';
import { configFields, type ConfigField } from '../config/config-fields.ts';
import { describeExpected } from '../config/describe-expected.ts';

/** A row of the table of fields in `configuration.md`, but for the meaning, which a person writes. */
export interface FieldRow {
  readonly field: string;
  readonly default: string;
  readonly allowed: string;
}

/** The rows that the table must have, from the run's schema and in its order. */
export function expectedRows(): readonly FieldRow[] {
  const fields = new Map(configFields().filter(({ path }) => path.at(-1) !== 'kind').map((field) => [field.path.join('.'), field]));
  return [...fields.values()].map((field) => ({ field: `\`${field.path.join('.')}\``, default: defaultText(field), allowed: describeExpected(field.node) }));
}

/** The rows of the Markdown table whose first cell's heading is `field`. */
export function documentedRows(markdown: string): readonly FieldRow[] {
  const lines = markdown.split('\n');
  const heading = lines.findIndex((line) => line.startsWith('| field '));
  const body = lines.slice(heading + 2);
  const end = body.findIndex((line) => !line.startsWith('|'));
  return body.slice(0, end).map((line) => {
    const [, field = '', standard = '', allowed = ''] = line.split('|').map((cell) => cell.trim());
    return { field, default: standard, allowed };
  });
}

const NONE = '–';

/** One value, or one a kind: `0.001` of adam, adamw; `0.01` of sgd, rmsprop. */
function defaultText(field: ConfigField): string {
  if (field.node.default !== undefined) return code(field.node.default);
  const byText = Map.groupBy(field.kinds, (kind) => code(defaultOfKind(field.path, kind)));
  const texts = [...byText].filter(([text]) => text !== NONE);
  if (texts.length < 2) return texts[0]?.[0] ?? NONE;
  return texts.map(([text, kinds]) => `${text} of ${kinds.join(', ')}`).join('; ');
}

const UNSAID = '-';
const TOKENS = { data: { source: { kind: 'tokens', file: UNSAID } } };
/** What a config must say besides where it names a kind, and what of the kind. */
const REQUIRED_BY: Readonly<Record<string, object>> = { transformer: TOKENS, pretrained: TOKENS };
const REQUIRED_OF: Readonly<Record<string, object>> = { pretrained: { path: UNSAID } };

function defaultOfKind(path: readonly string[], kind: string): unknown {
  const { success, data } = runSchema.safeParse({ ...REQUIRED_BY[kind], [path[0]!]: { kind, ...REQUIRED_OF[kind] } });
  if (!success) return undefined;
  const value = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], data);
  return value === UNSAID ? undefined : simplest(value);
}

/** A schedule by what a person writes for it: a constant one by its rate, a base by its kind. */
function simplest(value: unknown): unknown {
  const { base, kind } = Object(value) as { base?: { rate: number }; kind?: string };
  return base?.rate ?? kind ?? value;
}

const code = (value: unknown): string => (value === undefined ? NONE : `\`${JSON.stringify(value).replaceAll('"', "'")}\``);
