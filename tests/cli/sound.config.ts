import { bitFlipRun } from './bit-flip-run.ts';

export default bitFlipRun(null);
