import { closestWord } from '../config/closest-word.ts';
import { configFields, type ConfigField } from '../config/config-fields.ts';
import type { SchemaNode } from '../config/schema-node.ts';

/** `optimizer.learningRate`: how a field is named in a sweep's files, tables and plots. */
export const nameOf = (field: ConfigField): string => field.path.join('.');

/** The field of a name as config files write it, `optimizer.learningRate`, or as flags do, `optimizer.learning-rate`; undefined where there is none. */
export function findField(name: string): ConfigField | undefined {
  return configFields().find((field) => nameOf(field) === name || field.flag === name);
}

/** `optimizer.learningRat: unknown field, did you mean optimizer.learningRate?` */
export function unknownField(name: string): string {
  const meant = closestWord(name, configFields().map(nameOf));
  return `${name}: unknown field${meant === null ? ', expected one of docs/configuration.md' : `, did you mean ${meant}?`}`;
}

/** The flags of `lockstep train` that set a field which `findField` knows. */
export const flagsFor = (name: string, text: string): string[] => [`--${findField(name)!.flag}`, text];

/** What a field's value may be of: `integer`, `number`, `array`, … */
export function typesOf({ node }: ConfigField): ReadonlySet<SchemaNode['type']> {
  return new Set((node.anyOf ?? [node]).map(({ type }) => type));
}
