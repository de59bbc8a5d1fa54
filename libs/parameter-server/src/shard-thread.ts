import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, LockstepError, messageOf } from '@lockstep/core';
import { ExchangeServer, insecureServerCredentials } from '@lockstep/transport';
import { Shard } from './shard.ts';
import { StepReports } from './step-reports.ts';
import { wantsSnapshot, type ShardCommand, type ShardMessage, type ShardThreadData } from './shard-messages.ts';

/** The thread that hosts one shard: its reduction and optimizer, and the gRPC server of its Exchange streams. */
const { plan, listenOn, sharedMemory, snapshots } = workerData as ShardThreadData;

try {
  await serve();
} catch (error) {
  tellFault(error);
}

async function serve(): Promise<void> {
  const steps = new StepReports((timed) => tell({ kind: 'finished', steps: timed }));
  const shard = new Shard(plan, {
    versionReady(version, parameters, finished) {
      server.publish(version, parameters);
      if (finished !== null) steps.add(finished);
      if (wantsSnapshot(snapshots, version)) {
        steps.flush();
        sendSnapshot(version, parameters);
      }
    },
    normsReady: (step, blockSums) => tell({ kind: 'norms', step, blockSums }),
  });
  const server = new ExchangeServer(shard, {
    sharedMemory,
    credentials: insecureServerCredentials(),
    onStreamEnd: (_rank, fault) => {
      if (fault !== null) tellFault(fault);
    },
  });
  parentPort?.on('message', (command: ShardCommand) => {
    switch (command.kind) {
      case 'clip': return shard.clip(command.factor);
      case 'close': return void close(server);
      default: return assertNever(command);
    }
  });
  tell({ kind: 'listening', addresses: await server.listen(listenOn) });
}

function sendSnapshot(version: number, parameters: Float32Array): void {
  const copy = new Float32Array(parameters);
  tell({ kind: 'snapshot', version, parameters: copy }, [copy.buffer]);
}

async function close(server: ExchangeServer): Promise<void> {
  await server.close();
  // Ends this thread alone, which a socket to a worker that hangs would keep alive.
  process.exit();
}

function tell(message: ShardMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function tellFault(error: unknown): void {
  const fault = error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error));
  tell({ kind: 'fault', code: fault.code, message: fault.message, hint: fault.hint });
}
