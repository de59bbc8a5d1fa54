import type { z } from 'zod';
import { closestWord } from './closest-word.ts';
import { describeExpected } from './describe-expected.ts';
import { alternativesOf, kindOf, nodesAt, runSchemaNode, type FieldPath } from './schema-node.ts';

type Issue = z.core.$ZodIssue;

/** One mistake: which field, and the sentence about it. */
export interface Mistake {
  readonly path: FieldPath;
  readonly text: string;
}

/**
 * Says every mistake of options that the run's schema refused, one a field:
 * `microBatches: got 3, expected a power of two`.
 * @param value The options that were parsed, with `reportInput`.
 */
export function renderIssues(issues: readonly Issue[], value: unknown): readonly Mistake[] {
  const mistakes = issues.flatMap((issue) => renderIssue(issue, [], value));
  return mistakes.filter(({ path }, index) => mistakes.findIndex((other) => fieldName(other.path) === fieldName(path)) === index);
}

/** `model.hidden[1]` */
export function fieldName(path: FieldPath): string {
  return path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${key}`)).join('');
}

function renderIssue(issue: Issue, prefix: FieldPath, root: unknown): readonly Mistake[] {
  const path = [...prefix, ...(issue.path as FieldPath)];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField([...path, key], root));
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((errors) => errors.every(({ path: inner }) => inner.length > 0) && errors.length > 0);
    if (meant !== undefined) return meant.flatMap((inner) => renderIssue(inner, path, root));
  }
  const said = valueAt(root, path);
  if (issue.code === 'custom') return [mistake(path, said ?? issue.input, issue.message)];
  const isBeyondSafe = issue.code === 'too_big' && issue.maximum === Number.MAX_SAFE_INTEGER;
  return [mistake(path, said, isBeyondSafe ? `a whole number up to ${Number.MAX_SAFE_INTEGER}` : expectedAt(path, root))];
}

function mistake(path: FieldPath, got: unknown, expected: string): Mistake {
  return { path, text: `${path.length === 0 ? 'the run' : fieldName(path)}: got ${render(got)}, expected ${expected}` };
}

function expectedAt(path: FieldPath, root: unknown): string {
  const parent = nodesAt(runSchemaNode(), path.slice(0, -1), root);
  const isKind = path.at(-1) === 'kind' && parent.some((node) => node.oneOf !== undefined);
  if (isKind) return describeExpected(parent.find((node) => node.oneOf !== undefined)!).replace('an object with kind ', '');
  const descriptions = nodesAt(runSchemaNode(), path, root).map(describeExpected);
  return [...new Set(descriptions)].join(' or ');
}

function unknownField(path: FieldPath, root: unknown): Mistake {
  const parent = path.slice(0, -1);
  const value = valueAt(root, parent);
  const objects = nodesAt(runSchemaNode(), parent, root).flatMap((node) => alternativesOf(node, value));
  const known = objects.flatMap((node) => Object.keys(node.properties ?? {})).filter((key) => key !== 'kind');
  const kind = objects.map(kindOf).find((name) => name !== undefined);
  const unknown = `${fieldName(path)}: unknown field${kind === undefined ? '' : ` of ${kind}`}`;
  const meant = closestWord(String(path.at(-1)), known);
  return { path, text: `${unknown}, ${meant === null ? knownText(known) : `did you mean ${meant}?`}` };
}

const knownText = (known: readonly string[]): string =>
  known.length === 0 ? 'which has no fields' : `expected one of ${[...new Set(known)].join(', ')}`;

function valueAt(root: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | null | undefined)?.[key], root);
}

const MAX_RENDERED_CHARACTERS = 60;

function render(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length <= MAX_RENDERED_CHARACTERS ? text : `${text.slice(0, MAX_RENDERED_CHARACTERS)}…`;
}
