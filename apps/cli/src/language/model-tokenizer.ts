import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, LockstepError, sha256 } from '@lockstep/core';
import { exportGgufTokenizer, openPretrained, resolveAsset } from '@lockstep/pretrained';
import { openTokenizer, type Tokenizer, type TokenizerOptions } from '@lockstep/text';

/**
 * The tokenizer that `path` means: `bytes`, a `tokenizer.json`, a folder with one, a GGUF file that has one in it, or an `asset:NAME` of these.
 * @throws LockstepError as `openTokenizer`, and `data` where a GGUF's cannot be read.
 */
export async function openModelTokenizer(path: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
  return openTokenizer(await tokenizerPathOf(path), options);
}

/** Where it lies; that of a GGUF file is written out once, into the cache. */
export async function tokenizerPathOf(path: string): Promise<string> {
  const resolved = await resolveAsset(path);
  if (!resolved.endsWith('.gguf')) return resolved;
  const written = join(cacheDirectory('tokenizers'), nameOf(resolved));
  if (existsSync(written)) return written;
  await exportGgufTokenizer(resolved, written).catch((error: unknown) => {
    // Another process may have been first.
    if (!existsSync(written)) throw error;
  });
  return written;
}

/** The tokenizer of a pretrained model. @throws LockstepError `not-found` where its folder has none. */
export async function tokenizerPathOfModel(path: string): Promise<string> {
  const resolved = await resolveAsset(path);
  if (resolved.endsWith('.gguf')) return tokenizerPathOf(resolved);
  const { tokenizerPath } = await openPretrained(resolved);
  if (tokenizerPath !== null) return tokenizerPath;
  throw new LockstepError('not-found', `${path} has no tokenizer.json`, { hint: 'name one with --tokenizer PATH' });
}

/** Another file has another name. */
function nameOf(file: string): string {
  const { size, mtimeMs } = statSync(file);
  return sha256(`${file} ${size} ${mtimeMs}`).slice(0, 32);
}
