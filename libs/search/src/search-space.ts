import { gridPoints, type GridAxis, type Point } from './grid.ts';
import { drawPoint, type RandomAxis } from './random.ts';

export interface SearchSpace {
  readonly grid: readonly GridAxis[];
  readonly random: readonly RandomAxis[];
  /** Draws at each point of the grid; 1 where nothing is drawn. */
  readonly numDraws: number;
  readonly seed: number;
}

/** The points of all trials, in trial order: each point of the grid with its draws, one after another. */
export function planPoints({ grid, random, numDraws, seed }: SearchSpace): readonly Point[] {
  return gridPoints(grid).flatMap((point, index) =>
    Array.from({ length: numDraws }, (_, draw) => [...point, ...drawPoint(random, seed, index * numDraws + draw)]));
}
