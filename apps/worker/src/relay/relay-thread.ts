import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { LockstepError, messageOf } from '@lockstep/core';
import { createKernels } from '@lockstep/reduction';
import { endThread } from '@lockstep/transport';
import type { RelayThreadCommand, RelayThreadData, RelayThreadMessage } from './relay-messages.ts';
import { RelayedShard } from './relayed-shard.ts';

/** The thread of a relay: what the workers of this machine push is added up here, beside their engines. */
const data = workerData as RelayThreadData;

try {
  await relay();
} catch (error) {
  tell({ kind: 'fault', code: error instanceof LockstepError ? error.code : 'protocol', message: messageOf(error) });
}

async function relay(): Promise<void> {
  const kernels = createKernels();
  const relayed = data.shards.map(({ shard, endpoint }) => new RelayedShard(endpoint, { ...data, shard, kernels, onNote: (message) => tell({ kind: 'note', message }) }));
  parentPort?.on('message', (command: RelayThreadCommand) => {
    if (command.kind === 'close') void close(relayed);
    else command.endpoints.forEach((endpoint, index) => relayed[index]?.place(endpoint));
  });
  const addresses = data.shards.map(({ shard }) => `unix:${join(data.directory, `relay-${shard}.sock`)}`);
  await Promise.all(relayed.map((shard, index) => shard.listen(addresses[index] ?? '')));
  tell({ kind: 'listening', addresses });
}

async function close(relayed: readonly RelayedShard[]): Promise<void> {
  await Promise.all(relayed.map((shard) => shard.close()));
  endThread();
}

function tell(message: RelayThreadMessage): void {
  parentPort?.postMessage(message);
}
