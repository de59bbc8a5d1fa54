import { describe, expect, it } from 'vitest';
import { createPainter } from './half-blocks.ts';

const GREY = { pixels: Uint8Array.of(0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 0, 0), height: 3, width: 4, channels: 1 };
const ESCAPE = '\u001b[';

describe('half blocks', () => {
  it('show two rows a line by shape where there is no colour', () => {
    const paint = createPainter(1);
    expect([paint(GREY, 0), paint(GREY, 2)]).toEqual([' ▀▄█', '▀▀  ']);
  });

  it('use 24 greys or the colour itself where there is colour', () => {
    expect(createPainter(8)(GREY, 0)).toBe(`${ESCAPE}38;5;232;48;5;232m▀${ESCAPE}38;5;255;48;5;232m▀${ESCAPE}38;5;232;48;5;255m▀${ESCAPE}38;5;255;48;5;255m▀${ESCAPE}0m`);
    const colour = { pixels: Uint8Array.of(1, 2, 3, 40, 50, 60), height: 2, width: 1, channels: 3 };
    expect(createPainter(24)(colour, 0)).toBe(`${ESCAPE}38;2;1;2;3;48;2;40;50;60m▀${ESCAPE}0m`);
  });
});
