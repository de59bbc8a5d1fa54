import { bitFlipRun } from './bit-flip-run.ts';

/** In step 2, since a step has four micro-batches and the first call or two may be a warm-up. */
export default bitFlipRun(11);
