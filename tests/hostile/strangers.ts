import { type LockstepError } from '@lockstep/core';
import { ControlClient, HostClient, insecureClientCredentials, type CoordinatorMessage__Output, type HostCommand__Output, type HostMessage, type WorkerMessage } from '@lockstep/transport';

export type Welcome = NonNullable<CoordinatorMessage__Output['welcome']>;
export type HostWelcome = NonNullable<HostCommand__Output['welcome']>;

const credentials = insecureClientCredentials();

/** What a coordinator answers to a worker's hello: a welcome, or why not. */
export function joinAs(address: string, hello: NonNullable<WorkerMessage['hello']>): Promise<{ readonly client: ControlClient; readonly welcome: Welcome } | string> {
  return new Promise((resolve) => {
    const client: ControlClient = new ControlClient({
      address, credentials,
      hello: () => ({ hello }),
      onMessage: ({ welcome }) => {
        if (welcome) resolve({ client, welcome });
      },
      onBroken: () => client.close(),
      onEnd: (error) => resolve(reasonOf(error)),
    });
  });
}

/** What a coordinator answers to a shard host's hello. */
export function hostAs(address: string, hello: NonNullable<HostMessage['hello']>): Promise<{ readonly client: HostClient; readonly welcome: HostWelcome } | string> {
  return new Promise((resolve) => {
    const client: HostClient = new HostClient({
      address, credentials,
      events: {
        hello: () => ({ hello }),
        command: ({ welcome }) => {
          if (welcome) resolve({ client, welcome });
        },
        ended: (error) => resolve(reasonOf(error)),
      },
    });
  });
}

const reasonOf = (error: LockstepError | null): string => (error === null ? 'finished' : `${error.code}: ${error.message}`);
