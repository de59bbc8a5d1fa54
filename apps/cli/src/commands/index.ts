import type { Command } from 'commander';

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** Every command, with its module loaded when it is called. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'train', summary: 'train a model with a coordinator and workers on this machine', load: async () => (await import('./train.ts')).trainCommand() },
  { name: 'coordinator', summary: "run a run's coordinator, for workers started by hand", load: async () => (await import('./coordinator.ts')).coordinatorCommand() },
  { name: 'worker', summary: "join a coordinator's run", load: async () => (await import('./worker.ts')).workerCommand() },
  { name: 'parameter-server', summary: "host shards of a coordinator's run", load: async () => (await import('./parameter-server.ts')).parameterServerCommand() },
  { name: 'evaluate', summary: "evaluate a run's model on its test set", load: async () => (await import('./evaluate.ts')).evaluateCommand() },
  { name: 'predict', summary: "recognise digits in pictures with a run's model", load: async () => (await import('./predict.ts')).predictCommand() },
  { name: 'generate', summary: 'let a language model go on with a text', load: async () => (await import('./generate.ts')).generateCommand() },
  { name: 'export', summary: 'write a language model for other programs', load: async () => (await import('./export.ts')).exportCommand() },
  { name: 'verify', summary: 'say whether two runs are the same, bit for bit', load: async () => (await import('./verify.ts')).verifyCommand() },
  { name: 'simulate', summary: 'predict how training scales on a described cluster', load: async () => (await import('./simulate.ts')).simulateCommand() },
  { name: 'sweep', summary: 'train with many settings and compare what comes of them', load: async () => (await import('./sweep.ts')).sweepCommand() },
  { name: 'data', summary: 'look at images and their cleaning report; make token files of text', load: async () => (await import('./data.ts')).dataCommand() },
  { name: 'fetch', summary: 'fetch a pretrained model or a text', load: async () => (await import('./fetch.ts')).fetchCommand() },
  { name: 'doctor', summary: 'check this machine and explain what is missing', load: async () => (await import('./doctor.ts')).doctorCommand() },
  { name: 'bench', summary: 'measure the coordinator against the number of workers', load: async () => (await import('./bench.ts')).benchCommand() },
];
