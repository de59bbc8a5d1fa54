import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const STEPS_BETWEEN = 8;

/**
 * Collects young garbage while the engine waits for a version. Each gradient leaves fresh array buffers behind, which
 * V8 counts as external memory and answers with full collections in the middle of steps: on the MLP, 60 of them in 600
 * steps and a third of all CPU time.
 */
export function createIdleCollection(): { afterStep(): void } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  let steps = 0;
  return {
    afterStep() {
      steps += 1;
      if (steps % STEPS_BETWEEN === 0) collect({ type: 'minor' });
    },
  };
}
