export { importCustomModel, type CustomModelBundle } from './bundle-config.ts';
export { addConfigFlags, readConfigFlags, type FieldOverride } from './config-flags.ts';
export { loadRun, type LoadedRun, type LoadRunOptions } from './load-run.ts';
