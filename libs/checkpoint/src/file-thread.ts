import { assertNever, messageOf } from '@lockstep/core';
import { parentPort } from 'node:worker_threads';
import { removeDirectories, writeCheckpointFiles } from './checkpoint-files.ts';
import type { FileAnswer, FileError, FileRequest } from './file-jobs.ts';
import { readWhole } from './whole-file.ts';

parentPort!.on('message', ({ id, request }: { id: number; request: FileRequest }) => {
  try {
    const answer = perform(request);
    parentPort!.postMessage({ id, answer }, answer.kind === 'read' ? [answer.bytes.buffer as ArrayBuffer] : []);
  } catch (error) {
    // Of an error only its message and stack pass between threads, and not where a class makes its message itself.
    const { code, path } = error as FileError;
    parentPort!.postMessage({ id, error: new Error(messageOf(error)), code, path });
  }
});

function perform(request: FileRequest): FileAnswer {
  switch (request.kind) {
    case 'checkpoint':
      writeCheckpointFiles(request);
      return { kind: 'done' };
    case 'remove':
      removeDirectories(request.directories);
      return { kind: 'done' };
    case 'read': return { kind: 'read', ...readWhole(request.path, request.expectedBytes) };
    default: return assertNever(request);
  }
}
