import type { Picture } from './shrink.ts';

type Color = readonly [red: number, green: number, blue: number];

/** Two rows of pixels, `top` and the next, as one line of text. */
export interface Painter {
  (picture: Picture, top: number): string;
}

const RESET = '\u001b[0m';
const BLACK: Color = [0, 0, 0];

/** Each character shows two pixels: as colours of an upper half block, or without colour as the half block nearest in brightness. */
export function createPainter(colorDepth: number): Painter {
  return (picture, top) => {
    const characters = Array.from({ length: picture.width }, (_, column) => {
      const upper = colorAt(picture, top, column);
      const lower = top + 1 < picture.height ? colorAt(picture, top + 1, column) : BLACK;
      return colorDepth < 8 ? plainBlock(upper, lower) : `\u001b[38;${code(upper, colorDepth)};48;${code(lower, colorDepth)}m▀`;
    });
    return characters.join('') + (colorDepth < 8 ? '' : RESET);
  };
}

function colorAt({ pixels, width, channels }: Picture, row: number, column: number): Color {
  const at = (row * width + column) * channels;
  return channels === 3 ? [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!] : [pixels[at]!, pixels[at]!, pixels[at]!];
}

/** With 8 bits the 24 greys from 232 on, with 24 the colour itself. */
function code(color: Color, colorDepth: number): string {
  return colorDepth >= 24 ? `2;${color.join(';')}` : `5;${232 + Math.round((brightness(color) / 255) * 23)}`;
}

function plainBlock(upper: Color, lower: Color): string {
  return [' ', '▄', '▀', '█'][(brightness(upper) > 100 ? 2 : 0) + (brightness(lower) > 100 ? 1 : 0)]!;
}

function brightness([red, green, blue]: Color): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}
