import { microBatchesOf, type TreeNode } from '@lockstep/reduction';

/** The micro-batches of nodes, in the order of the nodes. */
export function microBatchesIn(nodes: readonly TreeNode[]): number[] {
  return nodes.flatMap((node) => {
    const { from, to } = microBatchesOf(node);
    return Array.from({ length: to - from }, (_, index) => from + index);
  });
}

/** The stretches without a gap of ascending numbers: each from its first up to, not including, `to`. */
export function runsOf(numbers: readonly number[]): { readonly from: number; readonly to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.to === number) last.to += 1;
    else runs.push({ from: number, to: number + 1 });
  }
  return runs;
}
