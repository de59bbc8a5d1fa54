import { runSchema } from '@lockstep/core';
import { z } from 'zod';

/** The part of JSON Schema that the run's schema uses. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean' | 'null';
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly string[];
  readonly const?: string | number;
  readonly items?: SchemaNode | false;
  readonly prefixItems?: readonly SchemaNode[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly default?: unknown;
}

export type FieldPath = readonly (string | number)[];

let cached: SchemaNode | undefined;

/** What a run's options may be. A custom model is left out: only a config file's function makes one. */
export function runSchemaNode(): SchemaNode {
  cached ??= withoutCustomModel(z.toJSONSchema(runSchema, { io: 'input' }) as SchemaNode);
  return cached;
}

/** The nodes that a path can lead to; `value` chooses between the kinds of a union where it says one. */
export function nodesAt(node: SchemaNode, path: FieldPath, value: unknown): readonly SchemaNode[] {
  const [key, ...rest] = path;
  if (key === undefined) return [node];
  const inner = (value as Record<string | number, unknown> | null | undefined)?.[key];
  return alternativesOf(node, value).flatMap((alternative) => {
    const next = typeof key === 'number' ? itemOf(alternative, key) : alternative.properties?.[key];
    return next === undefined ? [] : nodesAt(next, rest, inner);
  });
}

/** The alternatives of a union, `null` left out, narrowed to the one whose `kind` the value names. */
export function alternativesOf(node: SchemaNode, value?: unknown): readonly SchemaNode[] {
  const flat = (node.anyOf ?? node.oneOf ?? [node]).flatMap((inner) => (inner === node ? [inner] : alternativesOf(inner, value)));
  const kind = (value as { kind?: unknown } | null | undefined)?.kind;
  const named = flat.filter((alternative) => kind !== undefined && kindOf(alternative) === kind);
  return named.length > 0 ? named : flat.filter(({ type }) => type !== 'null');
}

/** The `kind` that a variant of a discriminated union is chosen by. */
export function kindOf(node: SchemaNode): string | undefined {
  const kind = node.properties?.['kind']?.const;
  return typeof kind === 'string' ? kind : undefined;
}

export const isNullable = (node: SchemaNode): boolean => (node.anyOf ?? []).some(({ type }) => type === 'null');

function itemOf(node: SchemaNode, index: number): SchemaNode | undefined {
  return node.prefixItems?.[index] ?? (node.items === false ? undefined : node.items);
}

function withoutCustomModel(run: SchemaNode): SchemaNode {
  const model = run.properties?.['model'];
  const oneOf = model?.oneOf?.filter((variant) => kindOf(variant) !== 'custom');
  return { ...run, properties: { ...run.properties, model: { ...model, ...(oneOf && { oneOf }) } } };
}
