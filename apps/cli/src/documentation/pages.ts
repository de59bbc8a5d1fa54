import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** A page that users read. */
export interface Page {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
}

/** README.md and everything below docs/. */
export function pages(): readonly Page[] {
  return globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT }).toSorted().map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

/** The contents of a page's fenced blocks of a language. */
export function fencedBlocks({ text }: Page, language: string): readonly string[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language).map(([, , body = '']) => body);
}

/** The `lockstep` commands that a page's blocks show, as words, `['train', '--epochs', '3']`. */
export function shownCommands(page: Page): readonly (readonly string[])[] {
  const lines = ['sh', ''].flatMap((language) => fencedBlocks(page, language)).flatMap((block) => block.split('\n'));
  const commands = lines.map((line) => /(?:^|\$ |\d )npx lockstep (.*?)(?:\s+#.*)?$/.exec(line)?.[1]);
  return commands.filter((command) => command !== undefined).map((command) => command.trim().split(/\s+/));
}

/** The targets of a page's links to other files of the checkout. */
export function localLinks({ text }: Page): readonly string[] {
  return [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target));
}
