import type { GridAxis, RandomAxis } from '@lockstep/search';
import type { ConfigField } from '../config/config-fields.ts';
import { findField, nameOf, typesOf, unknownField } from './searched-field.ts';

/** What `--grid` and `--random` say, with a line for each mistake in them. */
export interface SpaceFlags {
  readonly grid: readonly GridAxis[];
  readonly random: readonly RandomAxis[];
  readonly mistakes: readonly string[];
}

/** An axis, or what is wrong with its text. */
type Parsed<Axis> = { readonly axis: Axis } | { readonly mistake: string };

/** Reads `FIELD=VALUE,VALUE,…` of each `--grid`, and of each `--random` such a list or a range, `LOW..HIGH` or `log:LOW..HIGH`. */
export function readSpaceFlags(grid: readonly string[], random: readonly string[]): SpaceFlags {
  const gridAxes = grid.map((text) => parseFlag('--grid', text, parseGrid));
  const randomAxes = random.map((text) => parseFlag('--random', text, parseRandom));
  const axes = [...gridAxes, ...randomAxes].flatMap((parsed) => ('axis' in parsed ? [parsed.axis.field] : []));
  const twice = [...new Set(axes.filter((field, index) => axes.indexOf(field) !== index))];
  return {
    grid: gridAxes.flatMap((parsed) => ('axis' in parsed ? [parsed.axis] : [])),
    random: randomAxes.flatMap((parsed) => ('axis' in parsed ? [parsed.axis] : [])),
    mistakes: [
      ...[...gridAxes, ...randomAxes].flatMap((parsed) => ('mistake' in parsed ? [parsed.mistake] : [])),
      ...twice.map((field) => `${field}: got two lists or ranges, expected one`),
    ],
  };
}

function parseFlag<Axis>(flag: string, text: string, parse: (field: ConfigField, values: string) => Parsed<Axis>): Parsed<Axis> {
  const [, name, values] = /^(?:--)?([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || values === undefined) return { mistake: `${flag}: got ${JSON.stringify(text)}, expected FIELD=VALUES` };
  const field = findField(name);
  if (field === undefined) return { mistake: `${unknownField(name)} (from ${flag})` };
  const parsed = parse(field, values);
  return 'mistake' in parsed ? { mistake: `${nameOf(field)}: got ${values}, expected ${parsed.mistake} (from ${flag})` } : parsed;
}

function parseGrid(field: ConfigField, values: string): Parsed<GridAxis> {
  const texts = textsOf(field, values);
  if (texts.includes('')) return { mistake: 'a value between the separators' };
  if (new Set(texts).size < texts.length) return { mistake: 'each value once' };
  return { axis: { field: nameOf(field), texts } };
}

/** A list's own values are parted by commas, so lists are parted by semicolons. */
const textsOf = (field: ConfigField, values: string): string[] => values.split(typesOf(field).has('array') ? ';' : ',').map((text) => text.trim());

function parseRandom(field: ConfigField, values: string): Parsed<RandomAxis> {
  const range = /^(log:)?(.+?)\.\.(.+)$/.exec(values);
  if (range !== null) return parseRange(field, range[1] === undefined ? 'linear' : 'log', Number(range[2]), Number(range[3]));
  const list = parseGrid(field, values);
  return 'mistake' in list ? list : { axis: { kind: 'choice', ...list.axis } };
}

function parseRange(field: ConfigField, kind: 'linear' | 'log', low: number, high: number): Parsed<RandomAxis> {
  const types = typesOf(field);
  if (!types.has('integer') && !types.has('number')) return { mistake: 'values by commas: it is no number' };
  if (!Number.isFinite(low) || !Number.isFinite(high) || low >= high) return { mistake: 'LOW..HIGH, two numbers, the lower first' };
  if (kind === 'log' && low <= 0) return { mistake: 'a range above 0: it has a logarithm' };
  const isWhole = !types.has('number');
  if (isWhole && !(Number.isInteger(low) && Number.isInteger(high))) return { mistake: 'whole numbers' };
  return { axis: { kind, field: nameOf(field), low, high, isWhole } };
}
