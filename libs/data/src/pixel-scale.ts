import type { DataConfig } from '@lockstep/core';
import type { Statistics } from './statistics.ts';

/** A pixel `0 … 255` becomes `(pixel - subtract) / divide`. */
export interface PixelScale {
  readonly subtract: number;
  readonly divide: number;
}

/** `none`: as it is; `unit`: `pixel / 255`; `standard`: `(pixel / 255 - mean) / deviation`. Where all pixels are equal, the deviation counts as 1. */
export function pixelScaleOf(scale: DataConfig['scale'], statistics: Statistics): PixelScale {
  if (scale === 'none') return { subtract: 0, divide: 1 };
  if (scale === 'unit') return { subtract: 0, divide: 255 };
  return { subtract: 255 * statistics.mean, divide: 255 * (statistics.deviation || 1) };
}

/** The scaled value of each byte, before it is rounded to 32 bits. */
export function tabulate({ subtract, divide }: PixelScale): Float64Array {
  return Float64Array.from({ length: 256 }, (_, pixel) => (pixel - subtract) / divide);
}
