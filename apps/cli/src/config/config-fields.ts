import { describeField } from './field-descriptions.ts';
import { alternativesOf, isNullable, kindOf, runSchemaNode, type SchemaNode } from './schema-node.ts';

/** A field that a flag can set. */
export interface ConfigField {
  readonly path: readonly string[];
  /** `data.on-bad-sample` */
  readonly flag: string;
  readonly node: SchemaNode;
  /** The kinds (of a model, an optimizer, …) that have it; empty where it does not depend on one. */
  readonly kinds: readonly string[];
  readonly description: string;
  /** A second spelling of another field, left out of the help. */
  readonly hidden: boolean;
}

let cached: readonly ConfigField[] | undefined;

/** Every field of the run's schema, in the schema's order. */
export function configFields(): readonly ConfigField[] {
  cached ??= mergeByFlag(fieldsOf(runSchemaNode(), [], [])).flatMap(withAlias);
  return cached;
}

/** `--engine` is short for `--numerics.engine`. */
function withAlias(field: ConfigField): ConfigField[] {
  return field.flag === 'numerics.engine' ? [{ ...field, flag: 'engine' }, { ...field, hidden: true }] : [field];
}

const flagOf = (path: readonly string[]): string =>
  path.map((key) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join('.');

function fieldsOf(node: SchemaNode, path: readonly string[], kinds: readonly string[]): ConfigField[] {
  const alternatives = alternativesOf(node);
  const simple = alternatives.filter(({ properties }) => properties === undefined);
  const objects = alternatives.filter(({ properties }) => properties !== undefined);
  const variants = objects.map(kindOf).filter((kind) => kind !== undefined);
  return [
    ...(simple.length > 0 ? [field(path, withDefault(simple, node), kinds)] : []),
    ...(variants.length > 0 ? kindFields(path, variants, kinds, node.default) : []),
    ...objects.flatMap((object) => propertyFields(object, path, kindOf(object) === undefined ? kinds : [kindOf(object)!])),
  ];
}

/** The kind is set by the union's own name, `--optimizer adam`, and by its full path too. */
function kindFields(path: readonly string[], variants: readonly string[], kinds: readonly string[], standard: unknown): ConfigField[] {
  const kind = (standard as { kind?: string } | undefined)?.kind;
  const node: SchemaNode = { type: 'string', enum: variants, ...(kind !== undefined && { default: kind }) };
  return [field(path, node, kinds), { ...field([...path, 'kind'], node, kinds), hidden: true }];
}

function propertyFields(object: SchemaNode, path: readonly string[], kinds: readonly string[]): ConfigField[] {
  return Object.entries(object.properties ?? {})
    .filter(([key, inner]) => !(key === 'kind' && inner.const !== undefined))
    .flatMap(([key, inner]) => fieldsOf(inner, [...path, key], kinds));
}

function field(path: readonly string[], node: SchemaNode, kinds: readonly string[]): ConfigField {
  return { path, flag: flagOf(path), node, kinds, description: describeField(path), hidden: false };
}

function withDefault(simple: readonly SchemaNode[], node: SchemaNode): SchemaNode {
  const anyOf = [...simple, ...(isNullable(node) ? [{ type: 'null' } as const] : [])];
  const merged: SchemaNode = anyOf.length === 1 ? anyOf[0]! : { anyOf };
  return node.default === undefined || typeof node.default === 'object' && node.default !== null && !Array.isArray(node.default) ? merged : { ...merged, default: node.default };
}

/** Variants of a union share fields such as `dropout`: one flag, all their kinds. */
function mergeByFlag(fields: readonly ConfigField[]): ConfigField[] {
  const merged = new Map<string, ConfigField>();
  for (const next of fields) {
    const known = merged.get(next.flag);
    merged.set(next.flag, known === undefined ? next : merge(known, next));
  }
  return [...merged.values()];
}

/**
 * A default is the field's only where its kinds agree on it; else its description names them. Names of which some have options are a field's own
 * values and those of its kinds.
 */
function merge(known: ConfigField, next: ConfigField): ConfigField {
  const { default: standard, ...node } = known.node;
  const agree = known.kinds.length === 0 || JSON.stringify(standard) === JSON.stringify(next.node.default);
  const names = [...new Set([...known.node.enum ?? [], ...next.node.enum ?? []])];
  return { ...known, node: { ...(agree ? known.node : node), ...(names.length > 0 && { enum: names }) }, kinds: [...new Set([...known.kinds, ...next.kinds])] };
}
