import { formatCount } from '../data-inspect/summary.ts';
import type { TokenizeResult } from './tokenize-files.ts';

/** What has been made, a fact a line. */
export function renderSummary({ path, sha256, header, tokenizerPath, numDocuments, numTokens, textBytes, numCut }: TokenizeResult): string {
  const { layout, rowLength, counted, vocabularySize, classNames } = header;
  const lines: [string, string][] = [
    ['tokenizer', `${tokenizerPath}, ${formatCount(vocabularySize)} tokens`],
    ['documents', formatCount(numDocuments)],
    ['tokens', `${formatCount(numTokens)}, ${(textBytes / numTokens).toFixed(2)} bytes of text a token`],
  ];
  if (layout !== 'labelled') lines.push(['count', `${formatCount(counted)} tokens (${percent(counted, numTokens)})`]);
  if (classNames !== null) lines.push(['classes', `${formatCount(classNames.length)}: ${classNames.slice(0, SHOWN_CLASSES).join(', ')}${classNames.length > SHOWN_CLASSES ? ', …' : ''}`]);
  if (rowLength !== null) lines.push(['rows', `${formatCount(header.numTokens / rowLength)} of ${formatCount(rowLength)} tokens, ${percent(header.numTokens - numTokens, header.numTokens)} padding`]);
  if (numCut > 0) lines.push(['cut', `${formatCount(numCut)} samples were longer than a row: their end is left out; a greater --row-length keeps it`]);
  lines.push(['file', path], ['SHA-256', sha256]);
  return lines.map(([name, value]) => `${name.padEnd(10)}${value}`).join('\n');
}

const SHOWN_CLASSES = 10;

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
