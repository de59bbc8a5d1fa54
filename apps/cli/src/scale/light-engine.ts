import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { bytesOf, LockstepError, type Capabilities } from '@lockstep/core';
import type { WorkerDevice, WorkerEngine, WorkerEngineOptions } from '@lockstep/app-worker';
import { microBatchesOf, type TreeNode } from '@lockstep/reduction';

export interface LightDeviceOptions {
  readonly hostname: string;
  /** Length of the flat vector. */
  readonly parameters: number;
  /** What a micro-batch takes. */
  readonly computeMs: number;
  /** Awaited when a worker begins to compute a step. */
  readonly onBegin: (step: number) => Promise<void> | void;
}

/**
 * A device that only waits: each micro-batch takes `computeMs`, has one example, and a gradient of ones. So with SGD and
 * a learning rate of 1 every parameter of version `t` is `-t`, exactly, which each worker checks of what it computes on.
 */
export class LightDevice implements WorkerDevice {
  readonly capabilities: Capabilities;
  readonly options: LightDeviceOptions;
  readonly initial: Float32Array;
  readonly #sums = new Map<number, Float32Array>();

  constructor(options: LightDeviceOptions) {
    this.options = options;
    this.initial = new Float32Array(options.parameters);
    this.capabilities = { engineBuild: 'light', device: 'javascript', gpuKind: null, instructionSet: 'SSE41', hostname: options.hostname, pid: process.pid };
  }

  startEngine(options: WorkerEngineOptions): WorkerEngine {
    return new LightEngine(this, options);
  }

  /** The gradient sum of so many micro-batches; all workers of the process send the same memory. */
  sumOf(microBatches: number): Float32Array {
    const known = this.#sums.get(microBatches);
    if (known !== undefined) return known;
    const sum = new Float32Array(this.options.parameters).fill(microBatches);
    this.#sums.set(microBatches, sum);
    return sum;
  }
}

type Work = Parameters<WorkerEngine['compute']>[0];

class LightEngine implements WorkerEngine {
  readonly ready: WorkerEngine['ready'];
  readonly #device: LightDevice;
  readonly #options: WorkerEngineOptions;
  #number = 0;
  #useless = new AbortController();

  constructor(device: LightDevice, options: WorkerEngineOptions) {
    this.#device = device;
    this.#options = options;
    const { initial } = device;
    this.ready = Promise.resolve({ kind: 'ready', specs: [{ name: 'weights', shape: [initial.length], kind: 'trainable' }], topology: {}, initial, frozenSha256: '' });
  }

  async compute({ step, begins, nodes, parameters }: Work): Promise<void> {
    this.#number += 1;
    this.#useless = new AbortController();
    const { signal } = this.#useless;
    if (begins) await this.#device.options.onBegin(step);
    this.#check(step, parameters);
    for (const node of nodes) {
      await this.#pause(node, signal);
      if (signal.aborted) return;
      this.#tell(step, node);
    }
  }

  readFrozen(): Promise<readonly Float32Array[]> {
    return Promise.resolve([]);
  }

  interrupt(): void {
    this.#useless.abort();
  }

  wait(): void {}

  evaluate(): void {
    this.#options.onFailure(new LockstepError('protocol', 'a light worker has nothing to evaluate'));
  }

  async close(): Promise<void> {
    this.#useless.abort();
  }

  async #pause({ level }: TreeNode, signal: AbortSignal): Promise<void> {
    const { computeMs } = this.#device.options;
    await (computeMs === 0 ? nextTurn() : delay(computeMs * 2 ** level, null, { signal }).catch(() => undefined));
  }

  #check(step: number, parameters: Float32Array): void {
    const found = [parameters[0], parameters.at(-1)].find((value) => value !== -step);
    if (found !== undefined) this.#options.onFailure(new LockstepError('numerics', `version ${step} has a parameter of ${found}, expected ${-step}`));
  }

  #tell(step: number, node: TreeNode): void {
    const { from, to } = microBatchesOf(node);
    const microBatches = to - from;
    const { computeMs } = this.#device.options;
    this.#options.onPartial({
      kind: 'partial', number: this.#number, step, node, computeMs: computeMs * microBatches, sum: bytesOf(this.#device.sumOf(microBatches)), wire: 'float32',
      tally: { numExamples: microBatches, numCorrect: 0, lossSum: microBatches, numNonFinite: 0 },
      digests: Array.from({ length: microBatches }, (_, offset) => from + offset),
    });
  }
}
