import { clusterSchema } from '@lockstep/simulation';
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { placeholderOf } from '../config/describe-expected.ts';
import { parseFlagText } from '../config/flag-value.ts';
import type { SchemaNode } from '../config/schema-node.ts';

type DescribedNode = SchemaNode & { readonly description?: string };

/** What a description of a cluster may hold, a field each. */
export const clusterFields: ReadonlyMap<string, DescribedNode> = new Map(Object.entries((z.toJSONSchema(clusterSchema, { io: 'input' }) as SchemaNode).properties ?? {}));

/** `workersPerHost` as a flag: `--workers-per-host`. */
export const flagOf = (field: string): string => `--${field.replaceAll(/[A-Z]+/g, (letters) => `-${letters.toLowerCase()}`)}`;

/** Gives a command a flag for every field of a cluster. */
export function addClusterFlags(command: Command): Command {
  for (const [field, node] of clusterFields) command.addOption(optionOf(field, node));
  return command;
}

/** The fields that the command line set. */
export function readClusterFlags(command: Command): Readonly<Record<string, unknown>> {
  const set = [...clusterFields].filter(([field]) => command.getOptionValueSource(field) === 'cli');
  return Object.fromEntries(set.map(([field, node]) => [field, valueOf(command.getOptionValue(field), node)]));
}

function optionOf(field: string, node: DescribedNode): Option {
  const value = node.type === 'boolean' ? '[true|false]' : `<${placeholderOf(node)}>`;
  const standard = node.default === null ? 'none' : Array.isArray(node.default) ? node.default.join() : String(node.default);
  const option = new Option(`${flagOf(field)} ${value}`, `${node.description ?? ''} (default: ${standard})`);
  option.attributeName = () => field;
  return option.helpGroup('Cluster:');
}

const valueOf = (text: unknown, node: DescribedNode): unknown => (text === true ? true : parseFlagText(String(text), node));
