import { sha256 } from '@lockstep/core';
import type { FieldText, GridAxis, Point } from './grid.ts';

/** A field and where its values are drawn from. */
export type RandomAxis =
  /** Between two bounds, both included, evenly or with an even logarithm; whole numbers only where `isWhole`. */
  | { readonly kind: 'linear' | 'log'; readonly field: string; readonly low: number; readonly high: number; readonly isWhole: boolean }
  /** One of these, each as likely. */
  | GridAxis & { readonly kind: 'choice' };

type Range = Exclude<RandomAxis, { kind: 'choice' }>;

/** More digits change no result that anybody compares, and nobody reads them. */
const SIGNIFICANT_DIGITS = 4;

/**
 * The values of one trial. Each is a pure function of the seed, the trial's number and the field's name, so a draw stays
 * the same when others are added, and whatever order the trials run in.
 */
export function drawPoint(axes: readonly RandomAxis[], seed: number, trial: number): Point {
  return axes.map((axis): FieldText => ({ field: axis.field, text: textAt(axis, uniformDraw(seed, trial, axis.field)) }));
}

function textAt(axis: RandomAxis, draw: number): string {
  if (axis.kind === 'choice') return axis.texts[Math.floor(draw * axis.texts.length)]!;
  return String(axis.isWhole ? wholeAt(axis, draw) : numberAt(axis, draw));
}

/** Rounding may lead out of the bounds, by a digit that is not shown. */
function numberAt({ kind, low, high }: Range, draw: number): number {
  const value = Number(between(kind, low, high, draw).toPrecision(SIGNIFICANT_DIGITS));
  return Math.min(high, Math.max(low, value));
}

/** Each whole number has the part of the range from itself to the next. */
function wholeAt({ kind, low, high }: Range, draw: number): number {
  return Math.min(high, Math.max(low, Math.floor(between(kind, low, high + 1, draw))));
}

function between(kind: Range['kind'], low: number, high: number, draw: number): number {
  if (kind === 'linear') return low + draw * (high - low);
  return Math.exp(Math.log(low) + draw * (Math.log(high) - Math.log(low)));
}

const DRAW_HEX_DIGITS = 12;

/** In `[0, 1)`, of 48 bits. */
function uniformDraw(seed: number, trial: number, field: string): number {
  return parseInt(sha256(`${seed}/${trial}/${field}`).slice(0, DRAW_HEX_DIGITS), 16) / 2 ** (4 * DRAW_HEX_DIGITS);
}
