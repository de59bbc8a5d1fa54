import type { RenderEvaluationOptions } from '@lockstep/evaluation';

/** How wide standard output is, and whether it shows colours. */
export function terminal(): RenderEvaluationOptions {
  const { stdout } = process;
  return { color: stdout.isTTY === true && process.env['NO_COLOR'] === undefined, columns: stdout.columns ?? 100 };
}
