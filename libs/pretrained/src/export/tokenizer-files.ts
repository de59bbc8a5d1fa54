import { copyFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../formats/json-file.ts';

/** What lies beside a `tokenizer.json` and belongs to it. */
const COMPANIONS = ['tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja', 'added_tokens.json', 'vocab.json', 'merges.txt', 'vocab.txt'];

export async function copyTokenizer(tokenizerPath: string, directory: string): Promise<void> {
  await copyFile(tokenizerPath, join(directory, 'tokenizer.json'));
  for (const name of COMPANIONS) {
    const file = join(dirname(tokenizerPath), name);
    if (existsSync(file)) await copyFile(file, join(directory, name));
  }
}

const tokenizerSchema = z.looseObject({ added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })) });
/** Older files have an object in place of the text. */
const special = z.union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)]).nullish();
const configSchema = z.looseObject({ bos_token: special, eos_token: special, pad_token: special });

/** The fields of `config.json` that say which tokens begin and end a text; null where the tokenizer has none. */
export interface SpecialTokenIds {
  readonly bos_token_id: number | null;
  readonly eos_token_id: number | null;
  readonly pad_token_id: number | null;
}

/** @throws LockstepError `data` naming the file and the field that is not as it must be. */
export async function specialTokenIds(tokenizerPath: string | null): Promise<SpecialTokenIds> {
  const configPath = tokenizerPath === null ? null : join(dirname(tokenizerPath), 'tokenizer_config.json');
  if (tokenizerPath === null || configPath === null || !existsSync(configPath)) return { bos_token_id: null, eos_token_id: null, pad_token_id: null };
  const { added_tokens: tokens } = await readJsonFile(tokenizerPath, tokenizerSchema);
  const { bos_token: begin, eos_token: end, pad_token: padding } = await readJsonFile(configPath, configSchema);
  const idOf = (token: string | null | undefined): number | null => tokens.find(({ content }) => content === token)?.id ?? null;
  return { bos_token_id: idOf(begin), eos_token_id: idOf(end), pad_token_id: idOf(padding) };
}
