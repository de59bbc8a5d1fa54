import { parentPort, workerData } from 'node:worker_threads';
import { LockstepError, messageOf } from '@lockstep/core';
import { endThread } from '@lockstep/transport';
import { ShardService } from './shard-service.ts';
import type { ShardCommand, ShardMessage, ShardThreadData } from './shard-messages.ts';

/** The thread that hosts one shard: its reduction and optimizer, and the listener of its tensor streams. */
const data = workerData as ShardThreadData;

try {
  await serve();
} catch (error) {
  const fault = error instanceof LockstepError ? error : new LockstepError('protocol', messageOf(error));
  tell({ kind: 'fault', code: fault.code, message: fault.message, hint: fault.hint });
}

async function serve(): Promise<void> {
  const service = new ShardService(data, tell);
  parentPort?.on('message', (command: ShardCommand) => {
    if (command.kind === 'close') void close(service);
    else service.take(command);
  });
  tell({ kind: 'listening', addresses: await service.listen(data.listenOn) });
}

async function close(service: ShardService): Promise<void> {
  await service.close();
  endThread();
}

function tell(message: ShardMessage, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
