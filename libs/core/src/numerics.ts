/** CPU instruction sets that give different bits, weakest first; the values of oneDNN's `ONEDNN_MAX_CPU_ISA`. */
export const INSTRUCTION_SETS = ['SSE41', 'AVX', 'AVX2', 'AVX512_CORE'] as const;
export type InstructionSet = (typeof INSTRUCTION_SETS)[number];

/** The settings that change the bits of a gradient. Fixed once for a run, equal on all its workers, named in its receipt. */
export interface Numerics {
  /** What computes, e.g. `tensorflow 2.21.0 cpu` or `tfjs 4.22.0 javascript`; equal strings give equal bits. */
  readonly engineBuild: string;
  readonly device: 'cpu' | 'gpu' | 'javascript';
  /** The GPU's model name, or null on a CPU. */
  readonly gpuKind: string | null;
  readonly intraOpThreads: number;
  readonly oneDnn: boolean;
  readonly instructionSet: InstructionSet;
  /** `TF_DETERMINISTIC_OPS`: on a GPU what makes kernels deterministic, without effect on a CPU. */
  readonly deterministicOps: boolean;
}

/** What a worker's machine can do, told at join. */
export interface Capabilities {
  readonly engineBuild: string;
  readonly device: Numerics['device'];
  readonly gpuKind: string | null;
  /** The strongest instruction set of the CPU. */
  readonly instructionSet: InstructionSet;
  readonly hostname: string;
  readonly pid: number;
}
