/** Which checkpoints to remove: all but the newest `keepLast` and that of the best epoch, oldest first. */
export function checkpointsToRemove(versions: readonly number[], keep: { readonly keepLast: number; readonly best: number | null }): number[] {
  const oldestFirst = [...versions].sort((a, b) => a - b);
  return oldestFirst.slice(0, Math.max(0, oldestFirst.length - keep.keepLast)).filter((version) => version !== keep.best);
}
