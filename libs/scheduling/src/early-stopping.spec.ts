import { expect, it } from 'vitest';
import { judgeEpoch, type BestEpoch } from './early-stopping.ts';

function epochsUntilStop(losses: readonly number[], patience: number, minDelta = 0): { readonly stoppedAfter: number | null; readonly best: BestEpoch | null } {
  let best: BestEpoch | null = null;
  for (const [epoch, loss] of losses.entries()) {
    const verdict = judgeEpoch(best, epoch, loss, { patience, minDelta });
    best = verdict.best;
    if (verdict.kind === 'stop') return { stoppedAfter: epoch, best };
  }
  return { stoppedAfter: null, best };
}

it('stops after as many epochs without improvement as its patience, and knows the best', () => {
  expect(epochsUntilStop([1, 0.5, 0.6, 0.7, 0.4], 2)).toEqual({ stoppedAfter: 3, best: { epoch: 1, loss: 0.5 } });
  expect(epochsUntilStop([1, 0.5, 0.6, 0.4, 0.6], 2)).toEqual({ stoppedAfter: null, best: { epoch: 3, loss: 0.4 } });
});

it('does not take less than minDelta for an improvement', () => {
  expect(epochsUntilStop([1, 0.95, 0.92], 2, 0.1)).toEqual({ stoppedAfter: 2, best: { epoch: 0, loss: 1 } });
});

it('without a rule goes on for ever, and still knows the best epoch', () => {
  expect(judgeEpoch({ epoch: 0, loss: 1 }, 99, 2, null)).toEqual({ kind: 'continue', best: { epoch: 0, loss: 1 } });
});

it('takes no loss for the best that is no finite number, and waits no longer for one', () => {
  expect(epochsUntilStop([Infinity, NaN, 2, 3], 3)).toEqual({ stoppedAfter: null, best: { epoch: 2, loss: 2 } });
  expect(epochsUntilStop([NaN, Infinity, 1], 2)).toEqual({ stoppedAfter: 1, best: null });
});
