import { isNullable, kindOf, type SchemaNode } from './schema-node.ts';

/** What a field may be, in words: `a whole number from 1 to 65536`, `one of relu, tanh`, `true or false`. */
export function describeExpected(node: SchemaNode): string {
  const alternatives = node.anyOf ?? node.oneOf;
  if (alternatives !== undefined) return describeUnion(alternatives);
  if (node.const !== undefined) return String(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  switch (node.type) {
    case 'integer': return `a whole number${describeRange(node)}`;
    case 'number': return `a number${describeRange(node)}`;
    case 'boolean': return 'true or false';
    case 'string': return node.minLength === undefined ? 'a text' : 'a text that is not empty';
    case 'array': return describeList(node);
    case 'object': return describeObject(node);
    case 'null': return 'null';
    default: return 'a value';
  }
}

/** What stands for the value in a flag's help: `<number>`, `<relu|tanh>`. */
export function placeholderOf(node: SchemaNode): string {
  const simple = (node.anyOf ?? [node]).filter(({ type, properties }) => type !== 'null' && properties === undefined);
  const texts = simple.map((part) => part.const ?? part.enum?.join('|') ?? (part.type === 'array' ? listPlaceholder(part) : wordFor(part)));
  return [...texts, ...(isNullable(node) ? ['none'] : [])].join('|');
}

function describeUnion(alternatives: readonly SchemaNode[]): string {
  const kinds = alternatives.map(kindOf);
  if (kinds.every((kind) => kind !== undefined)) return `an object with kind one of ${kinds.join(', ')}`;
  return alternatives.map(describeExpected).join(' or ');
}

function describeRange(node: SchemaNode): string {
  const maximum = node.maximum === Number.MAX_SAFE_INTEGER ? undefined : node.maximum;
  const lower = node.minimum ?? (node.type === 'integer' && node.exclusiveMinimum !== undefined ? node.exclusiveMinimum + 1 : undefined);
  if (lower !== undefined && maximum !== undefined) return ` from ${lower} to ${maximum}`;
  if (lower !== undefined && node.exclusiveMaximum !== undefined) return `, at least ${lower} and below ${node.exclusiveMaximum}`;
  if (lower !== undefined) return `, at least ${lower}`;
  if (node.exclusiveMinimum !== undefined) return ` above ${node.exclusiveMinimum}${maximum === undefined ? '' : ` and at most ${maximum}`}`;
  return maximum === undefined ? '' : `, at most ${maximum}`;
}

function describeList(node: SchemaNode): string {
  const item = node.prefixItems?.[0] ?? node.items;
  const each = item === undefined || item === false ? '' : `, each ${describeExpected(item)}`;
  return `a list${describeLength(node)}${each}`;
}

function describeLength({ minItems, maxItems }: SchemaNode): string {
  if (minItems === undefined && maxItems === undefined) return '';
  if (minItems === maxItems) return ` of ${minItems}`;
  return maxItems === undefined ? ` of at least ${minItems}` : ` of ${minItems ?? 0} to ${maxItems}`;
}

function describeObject(node: SchemaNode): string {
  return `an object with ${Object.keys(node.properties ?? {}).join(', ')}`;
}

function listPlaceholder(node: SchemaNode): string {
  return node.prefixItems === undefined ? 'N,N,…' : node.prefixItems.map(() => 'N').join(',');
}

function wordFor(node: SchemaNode): string {
  if (node.type === 'integer') return 'n';
  if (node.type === 'boolean') return 'true|false';
  return node.type === 'string' ? 'path' : 'x';
}
