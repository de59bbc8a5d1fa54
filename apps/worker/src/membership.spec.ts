import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Capabilities, LockstepError } from '@lockstep/core';
import { BlockShelf, ControlServer, insecureServerCredentials, PROTOCOL_VERSION, type CoordinatorMessage, type WorkerConnection, type WorkerMessage } from '@lockstep/transport';
import { Change } from './change.ts';
import { Membership } from './membership.ts';

const capabilities: Capabilities = { engineBuild: 'tfjs javascript', device: 'javascript', gpuKind: null, instructionSet: 'AVX2', hostname: 'here', pid: 7 };
const welcome = (rank: number, runId = 'the-run'): CoordinatorMessage => ({ welcome: { rank, runId, configJson: '{}', numericsJson: '{}' } });

/** A coordinator that answers every hello and writes down what it is told. */
class Coordinator {
  readonly told: WorkerMessage[] = [];
  readonly change = new Change();
  readonly server: ControlServer;
  #connection: WorkerConnection | null = null;

  constructor(answer: CoordinatorMessage) {
    this.server = new ControlServer({
      shelf: new BlockShelf(),
      credentials: insecureServerCredentials(),
      onNote: () => undefined,
      hosts: { message: () => undefined, ended: () => undefined },
      membership: {
        ended: () => undefined,
        message: (connection, message) => {
          this.#connection = connection;
          this.told.push(message);
          if (message.hello) connection.send(answer);
          this.change.notify();
        },
      },
    });
  }

  send(message: CoordinatorMessage): void {
    this.#connection?.send(message);
  }

  async until(holds: (told: readonly WorkerMessage[]) => boolean): Promise<void> {
    while (!holds(this.told)) await this.change.next(AbortSignal.timeout(10_000));
  }
}

let directory: string;
let cleanup: AsyncDisposableStack;
beforeEach(() => {
  cleanup = new AsyncDisposableStack();
  directory = mkdtempSync(join(tmpdir(), 'membership-spec-'));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
});
afterEach(() => cleanup.disposeAsync());

async function startCoordinator(answer: CoordinatorMessage): Promise<Coordinator> {
  const coordinator = new Coordinator(answer);
  await coordinator.server.listen([`unix:${join(directory, 'coordinator.sock')}`]);
  cleanup.defer(() => coordinator.server.close(0));
  return coordinator;
}

function joinRun() {
  const [broken, rejoined, end] = [Promise.withResolvers<LockstepError>(), Promise.withResolvers<void>(), Promise.withResolvers<LockstepError | null>()];
  const membership = new Membership({
    join: `unix:${join(directory, 'coordinator.sock')}`, capabilities, onMessage: () => undefined,
    onBroken: broken.resolve, onRejoin: () => rejoined.resolve(), onEnd: end.resolve,
  });
  cleanup.defer(() => membership.control.close());
  return { membership, broken: broken.promise, rejoined: rejoined.promise, end: end.promise };
}

it('says what the machine can do, and is welcomed', async () => {
  const coordinator = await startCoordinator(welcome(3));
  const { membership, end } = joinRun();
  expect((await membership.welcome).rank).toBe(3);
  expect(coordinator.told[0]?.hello).toMatchObject({ protocolVersion: PROTOCOL_VERSION, capabilities: { engineBuild: 'tfjs javascript', gpuKind: '', pid: 7 }, rejoin: null });
  coordinator.send({ finish: {} });
  expect(await end).toBeNull();
});

it('comes back as the same worker to a coordinator that was started again, and declares itself anew', async () => {
  const first = await startCoordinator(welcome(3));
  const { membership, broken, rejoined } = joinRun();
  await membership.welcome;
  membership.declare({ modelReady: { parameters: [], topologyJson: '"the model"' } });
  await first.until((told) => told.some(({ modelReady }) => modelReady));
  await first.server.close(0);
  expect((await broken).code).toBe('connection');
  membership.declare({ leave: {} });
  const second = await startCoordinator(welcome(3));
  await second.until((told) => told.length === 3);
  await rejoined;
  expect(second.told[0]?.hello?.rejoin).toEqual({ runId: 'the-run', rank: 3 });
  expect(second.told[1]?.modelReady?.topologyJson).toBe('"the model"');
  expect(second.told[2]?.leave).toEqual({});
});

it.each([['of another run', welcome(3, 'another-run')], ['by another rank', welcome(4)]])('ends when it is welcomed %s', async (_, answer) => {
  const first = await startCoordinator(welcome(3));
  const { membership, end } = joinRun();
  await membership.welcome;
  await first.server.close(0);
  await startCoordinator(answer);
  expect(await end).toMatchObject({ code: 'protocol', message: expect.stringContaining('expected worker 3 of run the-run') });
});
