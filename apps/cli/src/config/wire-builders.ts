import type { CompressedWireOptions } from '@lockstep/core';

type OptionsOf<Kind extends CompressedWireOptions['kind']> = Omit<Extract<CompressedWireOptions, { kind: Kind }>, 'kind'>;

/** Gradients' largest elements travel, this share of them; the rest is held back and added to the next step's. */
export function topK(ratio: number, options: Omit<OptionsOf<'topK'>, 'ratio'> = {}): CompressedWireOptions {
  return { kind: 'topK', ratio, ...options };
}

/** Gradients travel as matrices of this rank (Vogels et al. 2019); what they lack is held back and added to the next step's. */
export function powerSgd(rank: number, options: Omit<OptionsOf<'powerSgd'>, 'rank'> = {}): CompressedWireOptions {
  return { kind: 'powerSgd', rank, ...options };
}
