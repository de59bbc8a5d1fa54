import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { LockstepError, messageOf, sha256 } from '@lockstep/core';
import { fileError } from '../samples/file-error.ts';
import { createByteTokenizer } from './byte-tokenizer.ts';
import { createJsonTokenizer } from './json-tokenizer.ts';
import { tokenizerConfigSchema, type TokenizerConfig } from './tokenizer-config.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface TokenizerOptions {
  /** A Jinja template in place of the tokenizer's own. */
  readonly chatTemplate?: string;
}

/**
 * Opens `bytes`, a `tokenizer.json`, or a folder that holds one. Beside it, where they are, lie `tokenizer_config.json` (special tokens, chat
 * template) and `chat_template.jinja`, as Hugging Face's models have them. Throws `not-found` or `data`, naming the file.
 */
export function openTokenizer(path: string, { chatTemplate }: TokenizerOptions = {}): Tokenizer {
  if (path === 'bytes') return createByteTokenizer(chatTemplate);
  const file = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'tokenizer.json') : path;
  const text = readText(file);
  const definition = parseJson(file, text);
  const config = readConfig(join(dirname(file), 'tokenizer_config.json'));
  try {
    return createJsonTokenizer({ path: file, definition, sha256: sha256(text), config, chatTemplate: chatTemplate ?? ownTemplate(dirname(file), config) });
  } catch (cause) {
    throw new LockstepError('data', `${file}: not a tokenizer that can be used: ${messageOf(cause)}`, { cause, hint: "expected a tokenizer.json of Hugging Face's tokenizers" });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(file, error);
  }
}

function parseJson(file: string, text: string): Record<string, unknown> {
  try {
    return z.looseObject({}).parse(JSON.parse(text));
  } catch (cause) {
    throw new LockstepError('data', `${file}: not a JSON object: ${messageOf(cause)}`, { cause });
  }
}

function readConfig(file: string): TokenizerConfig {
  const { success, data, error } = tokenizerConfigSchema.safeParse(existsSync(file) ? parseJson(file, readText(file)) : {});
  if (!success) throw new LockstepError('data', `${file}: ${z.prettifyError(error)}`, { cause: error });
  return data;
}

/** Newer models have it in a file of its own. */
function ownTemplate(folder: string, config: TokenizerConfig): string | null {
  const file = join(folder, 'chat_template.jinja');
  return existsSync(file) ? readText(file) : config.chat_template ?? null;
}
