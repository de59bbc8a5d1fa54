import { runCoordinator } from '@lockstep/app-coordinator';
import { createRunDirectory } from '@lockstep/checkpoint';
import { LockstepError, messageOf, runSchema } from '@lockstep/core';
import { signalOfParent } from '../train/parent-process.ts';
import { CostMeter } from './cost-meter.ts';
import { serveParent } from './parent-link.ts';
import type { CoordinatorCommand, CoordinatorReport } from './scale-messages.ts';

/** The run's coordinator in a process of its own, so that what the process costs is what the coordinator does. */
const [runsDirectory = '', configJson = '', minWorkers = ''] = process.argv.slice(2);

const end = new AbortController();
const signal = AbortSignal.any([signalOfParent(), end.signal]);
const tell = serveParent<CoordinatorCommand, CoordinatorReport>(take);
const meter = new CostMeter(tell);

try {
  await runCoordinator({
    config: runSchema.parse(JSON.parse(configJson)), bundle: null, directory: await createRunDirectory(runsDirectory, 'scale'), resume: false,
    minWorkers: Number(minWorkers), minServers: 1, listen: '127.0.0.1:0', insecure: false, sharedMemory: true, sink: meter, signal,
    onListening: ({ unix }) => tell({ kind: 'listening', unix }),
  });
} catch (error) {
  if (!signal.aborted) tell({ kind: 'failed', message: messageOf(error) });
}
process.disconnect?.();

function take(command: CoordinatorCommand): void {
  switch (command.kind) {
    case 'measure': return meter.measure(command.warmUpSteps, command.steps);
    case 'await-rank': return meter.awaitRank(command.rank);
    case 'end': return end.abort(new LockstepError('aborted', 'measured'));
  }
}
