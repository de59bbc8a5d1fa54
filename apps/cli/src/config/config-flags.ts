import { Option, type Command } from 'commander';
import { configFields, type ConfigField } from './config-fields.ts';
import { placeholderOf } from './describe-expected.ts';
import { parseFlagText } from './flag-value.ts';

/** One field that a flag sets, over what the config file says. */
export interface FieldOverride {
  readonly path: readonly string[];
  readonly value: unknown;
  /** As written on the command line, `--global-batch-size`. */
  readonly flag: string;
}

const GROUPS: Readonly<Record<string, string>> = {
  data: 'Data:', model: 'Model:', loss: 'Loss:', optimizer: 'Optimizer:', clipping: 'Optimizer:', numerics: 'Numerics:',
};

/** Gives a command a flag for every field of the config: `--epochs 5`, `--optimizer adam`, `--data.validation 0.1`. */
export function addConfigFlags(command: Command): Command {
  for (const field of configFields()) command.addOption(optionOf(field));
  return command;
}

/** The config's fields that the command line set, outer ones first. */
export function readConfigFlags(command: Command): readonly FieldOverride[] {
  return configFields()
    .filter((field) => command.getOptionValueSource(field.flag) === 'cli')
    .map((field) => overrideOf(field, command.getOptionValue(field.flag)))
    .toSorted((a, b) => a.path.length - b.path.length);
}

function optionOf(field: ConfigField): Option {
  const value = field.node.type === 'boolean' ? '[true|false]' : `<${placeholderOf(field.node)}>`;
  const option = new Option(`--${field.flag} ${value}`, helpOf(field));
  option.attributeName = () => field.flag;
  option.helpGroup(GROUPS[field.path[0] ?? ''] ?? 'Training:');
  return option.hideHelp(field.hidden);
}

function helpOf({ description, kinds, node }: ConfigField): string {
  const only = kinds.length === 0 ? '' : ` [${kinds.join(', ')}]`;
  const standard = node.default === undefined ? '' : ` (default: ${node.default === null ? 'none' : String(node.default)})`;
  return `${description}${only}${standard}`;
}

function overrideOf(field: ConfigField, text: unknown): FieldOverride {
  return { path: field.path, value: text === true ? true : parseFlagText(String(text), field.node), flag: `--${field.flag}` };
}
