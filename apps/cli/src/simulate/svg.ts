/** Marks of an SVG drawing. */
export const INK = '#16202c';
export const MUTED = '#5b6878';
export const LINE = '#d9dfe7';

export interface TextStyle {
  readonly size?: number;
  readonly fill?: string;
  readonly weight?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export function text(x: number, y: number, content: string, { size = 12, fill = INK, weight = 400, anchor = 'start' }: TextStyle = {}): string {
  return `<text x="${at(x)}" y="${at(y)}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${escape(content)}</text>`;
}

export const rectangle = (x: number, y: number, width: number, height: number, fill: string): string =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${fill}"/>`;

export const line = (x1: number, y1: number, x2: number, y2: number, stroke = LINE): string =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${stroke}"/>`;

export const polyline = (points: readonly (readonly [number, number])[], stroke: string): string =>
  `<polyline points="${points.map(([x, y]) => `${at(x)},${at(y)}`).join(' ')}" fill="none" stroke="${stroke}" stroke-width="2"/>`;

export function drawing(width: number, height: number, marks: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'DejaVu Sans', 'Liberation Sans', sans-serif">`,
    rectangle(0, 0, width, height, '#ffffff'), ...marks, '</svg>', '',
  ].join('\n');
}

export const escape = (content: string): string => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A tenth of a unit is less than anybody sees. */
const at = (value: number): number => Math.round(value * 10) / 10;
