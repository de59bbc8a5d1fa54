import { LockstepError } from '@lockstep/core';
import { resolveAsset, writeAdapters, writeHuggingFace } from '@lockstep/pretrained';
import { Command, Option } from 'commander';
import { tokenizerPathOf } from '../language/model-tokenizer.ts';
import { findLanguageModel } from '../language/open-language-model.ts';
import { useEngine } from '../use-engine.ts';

interface ExportOptions {
  readonly out: string;
  readonly adapters?: true;
  readonly dtype: 'float32' | 'float16' | 'bfloat16';
  readonly runsDir: string;
}

export function exportCommand(): Command {
  return new Command('export')
    .description("Write a language model as Hugging Face's transformers loads it, adapters merged into the weights; or the adapters alone, as PEFT loads them.")
    .argument('<model>', "a run's name or path, a folder, a GGUF file, or asset:NAME")
    .requiredOption('--out <folder>', 'a new folder')
    .option('--adapters', 'the adapters alone')
    .addOption(new Option('--dtype <type>', 'of the weights').choices(['float32', 'float16', 'bfloat16']).default('float32'))
    .option('--runs-dir <dir>', 'where runs are', 'runs')
    .action(async (name: string, { out, adapters, dtype, runsDir }: ExportOptions) => {
      const named = await findLanguageModel(runsDir, name);
      await useEngine(named.numerics, async (engine) => {
        const model = await named.open(engine);
        const { architecture, lora } = model;
        if (adapters !== true) await writeHuggingFace(out, { architecture, tensors: model.mergedTensors(), tokenizerPath: await jsonOf(named.tokenizerPath()), dtype });
        else if (lora === null || named.basePath === null) throw new LockstepError('usage', `${name} has no adapters`, { hint: 'export it without --adapters' });
        else await writeAdapters(out, { lora, base: { path: await resolveAsset(named.basePath), architecture }, tensors: model.adapterTensors() });
        model.dispose();
        console.log(out);
      });
    });
}

/** The file to take along; a model of bytes, or one whose tokenizer nobody knows any more, has none. */
async function jsonOf(path: Promise<string>): Promise<string | null> {
  const known = await path.catch(() => 'bytes');
  return known === 'bytes' ? null : tokenizerPathOf(known);
}
