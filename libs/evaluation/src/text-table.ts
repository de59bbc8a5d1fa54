import { stripVTControlCharacters } from 'node:util';

export type Align = 'left' | 'right';

/** Lays cells out in columns, two spaces apart; cells may carry colour codes. */
export function textTable(rows: readonly (readonly string[])[], aligns: readonly Align[]): string[] {
  const widths = aligns.map((_, column) => Math.max(...rows.map((row) => visibleWidth(row[column] ?? ''))));
  return rows.map((row) => row.map((cell, column) => pad(cell, widths[column] ?? 0, aligns[column] ?? 'left')).join('  ').trimEnd());
}

export function visibleWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

function pad(cell: string, width: number, align: Align): string {
  const space = ' '.repeat(Math.max(0, width - visibleWidth(cell)));
  return align === 'left' ? cell + space : space + cell;
}
