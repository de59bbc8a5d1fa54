import type { ShardEndpoint__Output } from '@lockstep/transport';
import { ShardService } from '../shard-service.ts';
import type { ShardMessage, ShardSettings } from '../shard-messages.ts';
import { partsOfState, stateLength } from '../shard-plan.ts';
import { TOKEN } from './synthetic-worker.ts';
import type { SyntheticRun } from './synthetic-run.ts';

/** A shard in this process, listening on a Unix socket, and what it tells its host. */
export class StartedService implements AsyncDisposable {
  readonly service: ShardService;
  readonly messages: ShardMessage[] = [];
  readonly endpoint: ShardEndpoint__Output;
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  private constructor(settings: ShardSettings, unixAddress: string) {
    this.service = new ShardService(settings, (message) => this.#note(message));
    this.endpoint = { ...settings.plan.range, unixAddress, tcpAddress: '' };
  }

  /** A primary starts at version 0. */
  static async start(run: SyntheticRun, unixAddress: string, { shard = 0, shards = 1, failureDetectionMs = 60_000, sharedMemory = false, ...rest }: Partial<Pick<ShardSettings, 'role' | 'generation' | 'sharedMemory' | 'failureDetectionMs'>> & { readonly shard?: number; readonly shards?: number } = {}): Promise<StartedService> {
    const plan = run.plan(shard, shards);
    const role = rest.role ?? 'primary';
    const state = new Float32Array(stateLength(plan));
    partsOfState(plan, state).parameters.set(run.initial.subarray(plan.range.from, plan.range.to));
    const started = new StartedService({
      plan, role, generation: rest.generation ?? 0, start: role === 'primary' ? { version: 0, state } : null, sharedMemory, token: TOKEN, failureDetectionMs,
      version: new Int32Array(new SharedArrayBuffer(4)),
    }, unixAddress);
    await started.service.listen([unixAddress]);
    return started;
  }

  /** The first message of a kind that satisfies `holds`, as soon as it is there. */
  async message<K extends ShardMessage['kind']>(kind: K, holds: (message: Extract<ShardMessage, { readonly kind: K }>) => boolean = () => true): Promise<Extract<ShardMessage, { readonly kind: K }>> {
    const found = () => this.messages.find((message): message is Extract<ShardMessage, { readonly kind: K }> => message.kind === kind && holds(message as Extract<ShardMessage, { readonly kind: K }>));
    if (found() === undefined) await new Promise<void>((resolve) => this.#waiting.push({ holds: () => found() !== undefined, resolve }));
    return found()!;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.service.close();
  }

  #note(message: ShardMessage): void {
    this.messages.push(message);
    this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }
}
