import { isNullable, type SchemaNode } from './schema-node.ts';

/** A flag's text as the value that its field takes; what fits nothing stays a text, for the schema to refuse. */
export function parseFlagText(text: string, node: SchemaNode): unknown {
  const alternatives = (node.anyOf ?? [node]).filter(({ type }) => type !== 'null');
  if (isNullable(node) && (text === 'none' || text === 'null')) return null;
  for (const alternative of alternatives) {
    const value = parseAs(text, alternative);
    if (value !== undefined) return value;
  }
  return text;
}

function parseAs(text: string, node: SchemaNode): unknown {
  if (node.enum?.includes(text) === true) return text;
  switch (node.type) {
    case 'integer':
    case 'number': return text.trim() === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
    case 'boolean': return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'array': return text.split(',').map((part) => parseFlagText(part, itemOf(node)));
    default: return undefined;
  }
}

const itemOf = (node: SchemaNode): SchemaNode => node.prefixItems?.[0] ?? (node.items === false ? {} : (node.items ?? {}));
