import { optimizerSchema } from '@lockstep/core';
import { createKernels, createOptimizer } from '@lockstep/reduction';
import type { Row } from '../row.ts';
import { mediansInterleaved, timed } from './interleaved.ts';
import { addLoop, adamLoop } from './javascript-loops.ts';
import { filledArray, filledVector, IN_CACHE, IN_MEMORY, millions } from './operands.ts';
import { startTorchAdam } from './torch-adam.ts';
import { benchWireFormats } from './wire-formats.ts';

const REPETITIONS = 11;
const BYTES_PER_ELEMENT = { copy: 8, add: 12, adam: 28 };
const BANDWIDTH_GOALS = { add: 0.8, adam: null };
const TORCH_GOAL = 1;
/** By then the bias corrections are near 1. */
const LATE_UPDATE = 10_000;

/** Reduction, optimizer and wire format kernels against memory bandwidth, plain JavaScript and, where `python` has it, PyTorch's fused Adam. */
export async function benchKernels({ python = 'python3' }: { readonly python?: string } = {}): Promise<Row[]> {
  return [
    ...(await againstMemory(IN_CACHE)),
    ...(await againstMemory(IN_MEMORY)),
    await againstTorch(IN_CACHE, python),
    await againstTorch(IN_MEMORY, python),
    ...(await againstJavaScript(IN_CACHE)),
    ...(await benchWireFormats(IN_CACHE, REPETITIONS)),
    ...(await benchWireFormats(IN_MEMORY, REPETITIONS)),
  ];
}

async function againstMemory(length: number): Promise<Row[]> {
  const { add, adam } = kernelActions(length);
  const [target, source] = [filledArray(length), filledArray(length)];
  const seconds = await mediansInterleaved({ copy: timed(() => target.set(source)), add: timed(add), adam: timed(adam) }, REPETITIONS);
  const bandwidth = (kind: keyof typeof seconds) => (BYTES_PER_ELEMENT[kind] * length) / seconds[kind] / 1e9;
  const row = (name: string, kind: 'add' | 'adam'): Row => ({
    name: `${name}, ${millions(length)}: memory bandwidth`,
    ours: `${bandwidth(kind).toFixed(1)} GB/s`,
    peer: `${bandwidth('copy').toFixed(1)} GB/s, plain copy`,
    ratio: bandwidth(kind) / bandwidth('copy'),
    goal: BANDWIDTH_GOALS[kind],
    note: 'bytes of the operands; a copy also fetches the lines that it overwrites',
  });
  return [row('add', 'add'), row('Adam', 'adam')];
}

async function againstTorch(length: number, python: string): Promise<Row> {
  const torch = await startTorchAdam(python, length);
  try {
    const ours = timed(kernelActions(length).adam);
    const name = `Adam, ${millions(length)}: PyTorch fused`;
    if (torch === null) return { name, ours: elements(length, await ours()), peer: '–', ratio: null, goal: TORCH_GOAL, note: 'PyTorch is not installed' };
    const seconds = await mediansInterleaved({ ours, torch: torch.step }, REPETITIONS);
    return { ...elementsRow(name, length, seconds.ours, seconds.torch, `PyTorch ${torch.version}, 1 thread`), goal: TORCH_GOAL };
  } finally {
    torch?.close();
  }
}

async function againstJavaScript(length: number): Promise<Row[]> {
  const { add, adam } = kernelActions(length);
  const [parameters, gradient, means, variances] = [filledArray(length), filledArray(length), filledArray(length), filledArray(length)];
  const seconds = await mediansInterleaved({
    add: timed(add),
    addLoop: timed(() => addLoop(parameters, gradient)),
    adam: timed(adam),
    adamLoop: timed(() => adamLoop(parameters, gradient, means, variances)),
  }, REPETITIONS);
  return [
    elementsRow(`add, ${millions(length)}: plain JavaScript`, length, seconds.add, seconds.addLoop, 'a loop'),
    elementsRow(`Adam, ${millions(length)}: plain JavaScript`, length, seconds.adam, seconds.adamLoop, 'a loop'),
  ];
}

function kernelActions(length: number): Record<'add' | 'adam', () => void> {
  const kernels = createKernels();
  const [parameters, gradient] = [filledVector(kernels, length), filledVector(kernels, length)];
  const optimizer = createOptimizer(optimizerSchema.parse({ kind: 'adam' }), kernels, length);
  return {
    add: () => kernels.add(parameters, gradient),
    adam: () => optimizer.step(parameters, gradient, 1e-3, LATE_UPDATE),
  };
}

function elementsRow(name: string, length: number, ours: number, theirs: number, peer: string): Row {
  return { name, ours: elements(length, ours), peer: `${elements(length, theirs)}, ${peer}`, ratio: theirs / ours, goal: null };
}

function elements(length: number, seconds: number): string {
  return `${(length / seconds / 1e9).toFixed(2)} G/s`;
}
