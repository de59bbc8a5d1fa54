import { parentPort, workerData } from 'node:worker_threads';
import { assertNever, LockstepError, messageOf } from '@lockstep/core';
import { ExchangeServer, insecureServerCredentials } from '@lockstep/transport';
import { Shard } from './shard.ts';
import { wantsSnapshot, type ShardCommand, type ShardMessage, type ShardThreadData } from './shard-messages.ts';

/** The thread that hosts one shard: its reduction and optimizer, and the gRPC server of its Exchange streams. */
const data = workerData as ShardThreadData;

const shard = new Shard(data.plan, {
  versionReady(version, parameters, finished) {
    server.publish(version, parameters);
    if (finished !== null) tell({ kind: 'finished', finished });
    if (wantsSnapshot(data.snapshots, version)) sendSnapshot(version, parameters);
  },
  normsReady: (step, blockSums) => tell({ kind: 'norms', step, blockSums }),
});
const server = new ExchangeServer(shard, {
  sharedMemory: data.sharedMemory,
  credentials: insecureServerCredentials(),
  onStreamEnd: (_rank, fault) => {
    if (fault !== null) tellFault(fault);
  },
});

parentPort?.on('message', (command: ShardCommand) => {
  switch (command.kind) {
    case 'clip': return shard.clip(command.factor);
    case 'close': return void close();
    default: return assertNever(command);
  }
});

try {
  tell({ kind: 'listening', addresses: await server.listen(data.listenOn) });
} catch (error) {
  tellFault(error);
}

function sendSnapshot(version: number, parameters: Float32Array): void {
  const copy = new Float32Array(parameters);
  tell({ kind: 'snapshot', version, parameters: copy }, [copy.buffer]);
}

async function close(): Promise<void> {
  await server.close();
  // Ends this thread alone; a socket to a worker that hangs would keep it alive.
  process.exit();
}

function tell(message: ShardMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

function tellFault(error: unknown): void {
  const fault = error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error));
  tell({ kind: 'fault', code: fault.code, message: fault.message, hint: fault.hint });
}
