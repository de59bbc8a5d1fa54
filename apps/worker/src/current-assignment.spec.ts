import { expect, it } from 'vitest';
import { leafOf } from '@lockstep/reduction';
import { CurrentAssignment } from './current-assignment.ts';

const never = new AbortController().signal;
const part = (fromStep: number, untilStep: number, ...microBatches: number[]) => ({ fromStep, untilStep, nodes: microBatches.map(leafOf) });

it('stands until told otherwise', async () => {
  const assignment = new CurrentAssignment();
  assignment.set(part(0, 1000, 1, 2));
  for (const step of [0, 1, 999]) expect(await assignment.nodesFor(step, never)).toEqual([leafOf(1), leafOf(2)]);
});

it('waits for the first word, and for the word to go on', async () => {
  const assignment = new CurrentAssignment();
  const first = assignment.nodesFor(0, never);
  assignment.set(part(0, 10, 0));
  expect(await first).toEqual([leafOf(0)]);
  const beyond = assignment.nodesFor(10, never);
  assignment.set(part(10, 20, 3));
  expect(await beyond).toEqual([leafOf(3)]);
  expect(await assignment.nodesFor(9, never)).toEqual([leafOf(0)]);
});

it('goes on waiting when the word is about earlier steps', async () => {
  const assignment = new CurrentAssignment();
  const waiting = assignment.nodesFor(20, never);
  assignment.set(part(0, 10, 0));
  assignment.set(part(10, 20, 1));
  assignment.set(part(20, 30, 2));
  expect(await waiting).toEqual([leafOf(2)]);
});

it('follows the latest word about a step', async () => {
  const assignment = new CurrentAssignment();
  assignment.set(part(0, 100, 0));
  assignment.set(part(50, 100, 1));
  expect(await assignment.nodesFor(49, never)).toEqual([leafOf(0)]);
  expect(await assignment.nodesFor(50, never)).toEqual([leafOf(1)]);
  assignment.set(part(20, 60, 2));
  expect(await assignment.nodesFor(50, never)).toEqual([leafOf(2)]);
  expect(await assignment.nodesFor(10, never)).toEqual([leafOf(0)]);
});

it('may be that there is nothing to do', async () => {
  const assignment = new CurrentAssignment();
  assignment.set(part(0, 5));
  expect(await assignment.nodesFor(3, never)).toEqual([]);
});

it('rejects a wait with the signal\'s reason', async () => {
  const assignment = new CurrentAssignment();
  const abort = new AbortController();
  const waiting = assignment.nodesFor(0, abort.signal);
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(assignment.nodesFor(0, abort.signal)).rejects.toThrow('enough');
});
