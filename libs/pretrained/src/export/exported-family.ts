import { LockstepError, type TransformerArchitecture } from '@lockstep/core';

/** The families of transformers that Lockstep's architectures are written as. */
export type ExportedFamily = 'llama' | 'gpt2';

type Traits = Partial<TransformerArchitecture>;

/** What an architecture must be to be one of a family. */
const FAMILIES: Readonly<Record<ExportedFamily, (architecture: TransformerArchitecture) => Traits>> = {
  llama: () => ({ positions: 'rotary', norm: 'rmsNorm', activation: 'swiglu' }),
  gpt2: ({ heads, width }) => ({ positions: 'learned', norm: 'layerNorm', activation: 'gelu', biases: true, keyValueHeads: heads, headWidth: width / heads }),
};

/** @throws LockstepError `config` saying what keeps the architecture from being one of each family. */
export function exportedFamily(architecture: TransformerArchitecture): ExportedFamily {
  const misfits = Object.entries(FAMILIES).map(([family, traits]) => ({ family: family as ExportedFamily, misfit: misfitsOf(architecture, traits(architecture)) }));
  const fitting = misfits.find(({ misfit }) => misfit === '');
  if (fitting !== undefined) return fitting.family;
  const reasons = misfits.map(({ family, misfit }) => `${family} has ${misfit}`).join('; ');
  throw new LockstepError('config', `the model is of no family that transformers knows: ${reasons}`, { hint: "The run's own model.safetensors has the weights under Lockstep's names." });
}

function misfitsOf(architecture: TransformerArchitecture, traits: Traits): string {
  const differing = Object.entries(traits).filter(([trait, value]) => architecture[trait as keyof Traits] !== value);
  return differing.map(([trait, value]) => `${trait} ${value}, not ${architecture[trait as keyof Traits]}`).join(', ');
}
