import { z } from 'zod';

/** A size in a file that somebody downloaded. */
export const count = z.int().min(1).max(2 ** 31);
export const layerCount = z.int().min(1).max(1024);

/** Weights are stored as they are. */
export const unquantized = z.null().optional();
