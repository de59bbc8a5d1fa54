export { budgetsOf, promote, type Halving } from './halving.ts';
export { drawPoint, type RandomAxis } from './random.ts';
export { gridPoints, type FieldText, type GridAxis, type Point } from './grid.ts';
export { planPoints, type SearchSpace } from './search-space.ts';
export { rankTrials, type Goal, type ScoredTrial } from './ranking.ts';
