import { readTextChunks } from './text-chunks.ts';
import type { TextSource } from './text-source.ts';

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** A file's lines, which end with a line feed or carriage return and line feed. Node's readline would end them at U+2028 too, which JSON may hold. */
export async function* readLines(file: string, source: Pick<TextSource, 'onProgress' | 'signal'>): AsyncGenerator<Line> {
  let [rest, number] = ['', 0];
  for await (const chunk of readTextChunks(file, source)) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield { text: line.replace(/\r$/, ''), number: (number += 1) };
  }
  if (rest !== '') yield { text: rest.replace(/\r$/, ''), number: number + 1 };
}
