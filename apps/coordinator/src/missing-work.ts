import { microBatchesOf, type TreeNode } from '@lockstep/reduction';

/** What a worker's loss leaves undone, as the end of a sentence: `; its micro-batches 4 to 7 are missing`. */
export function describeMissing(nodes: readonly TreeNode[]): string {
  const ranges = nodes.map(microBatchesOf);
  const first = ranges[0];
  const last = ranges.at(-1);
  if (first === undefined || last === undefined) return '';
  if (last.to - first.from === 1) return `; its micro-batch ${first.from} is missing`;
  return `; its micro-batches ${first.from} to ${last.to - 1} are missing`;
}
