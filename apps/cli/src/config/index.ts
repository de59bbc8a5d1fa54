export { applyOverrides } from './apply-overrides.ts';
export { addConfigFlags, readConfigFlags, type FieldOverride } from './config-flags.ts';
export { loadRun, type LoadedRun, type LoadRunOptions } from './load-run.ts';
