import { hostname } from 'node:os';
import { messageOf } from '@lockstep/core';
import { runWorkerOn } from '@lockstep/app-worker';
import { signalOfParent } from '../train/parent-process.ts';
import { LightDevice } from './light-engine.ts';
import { now, serveParent } from './parent-link.ts';
import type { LightCommand, LightReport } from './scale-messages.ts';

/** One process of light workers: each is a member, and has connections, of its own. */
const [parameters = '', computeMs = ''] = process.argv.slice(2);

const BEGINS_KEPT = 1000;
const begins: { readonly step: number; readonly atMs: number }[] = [];
const awaited = new Set<number>();
let isDying = false;

const signal = signalOfParent();
const device = new LightDevice({ hostname: hostname(), parameters: Number(parameters), computeMs: Number(computeMs), onBegin });
const tell = serveParent<LightCommand, LightReport>(take);
tell({ kind: 'ready' });

function take(command: LightCommand): void {
  switch (command.kind) {
    case 'join': return join(command.address, command.workers);
    case 'await-step': return awaitStep(command.step);
    case 'die': isDying = true;
  }
}

function join(address: string, workers: number): void {
  tell({ kind: 'joining', atMs: now() });
  for (let worker = 0; worker < workers; worker += 1) {
    runWorkerOn(device, {
      join: address, listenHost: '127.0.0.1', signal, leaving: new AbortController().signal,
      onWelcome: (rank) => tell({ kind: 'welcomed', rank }),
      onNote: () => undefined,
    }).catch((error: unknown) => tell({ kind: 'failed', message: messageOf(error) }));
  }
}

function awaitStep(step: number): void {
  const begun = begins.find((begin) => begin.step >= step);
  if (begun === undefined) awaited.add(step);
  else tell({ kind: 'began', ...begun });
}

async function onBegin(step: number): Promise<void> {
  if (isDying) return die(step);
  if (step <= (begins.at(-1)?.step ?? -1)) return;
  begins.push({ step, atMs: now() });
  if (begins.length > BEGINS_KEPT) begins.shift();
  for (const other of awaited) {
    if (other > step) continue;
    awaited.delete(other);
    awaitStep(other);
  }
}

/** Never resolves: the step is not computed. */
function die(step: number): Promise<void> {
  process.send?.({ kind: 'dying', step, atMs: now() } satisfies LightReport, () => process.kill(process.pid, 'SIGKILL'));
  return new Promise(() => undefined);
}
