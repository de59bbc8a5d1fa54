import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openGguf } from '../formats/gguf-file.ts';
import { makeDirectory } from '../new-directory.ts';
import { readGgufTokenizer } from './gguf-tokenizer.ts';

/**
 * Writes the tokenizer inside a GGUF file as `tokenizer.json` and `tokenizer_config.json` (special tokens, chat template) into a new directory.
 * @returns The path of `tokenizer.json`.
 * @throws LockstepError `data` naming each key of the file that is missing or not supported; `usage` if the directory is there already; `storage`.
 */
export async function exportGgufTokenizer(path: string, directory: string): Promise<string> {
  const { tokenizer, config } = readGgufTokenizer(await openGguf(path));
  await makeDirectory(directory, async (temporary) => {
    await writeFile(join(temporary, 'tokenizer.json'), JSON.stringify(tokenizer));
    await writeFile(join(temporary, 'tokenizer_config.json'), `${JSON.stringify(config, null, 2)}\n`);
  });
  return join(directory, 'tokenizer.json');
}
