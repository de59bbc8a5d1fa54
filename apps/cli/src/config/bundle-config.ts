import { basename, dirname, join } from 'node:path';
import { LockstepError, messageOf, sha256, type ConfigBundle } from '@lockstep/core';
import type { BuildFailure } from 'esbuild';

/**
 * Bundles a TypeScript or JavaScript config file. `lockstep` and TensorFlow.js stay imports, which the installation resolves.
 * @throws LockstepError `config` with file, line and column of a syntax error or an import that is not found.
 */
export async function bundleConfig(file: string): Promise<ConfigBundle> {
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      entryPoints: [basename(file)], absWorkingDir: dirname(file), bundle: true, write: false, format: 'esm', platform: 'node', target: 'node22',
      external: ['lockstep', '@tensorflow/*'], logLevel: 'silent', legalComments: 'none',
    });
    const source = outputFiles[0]?.text ?? '';
    return { source, sha256: sha256(source) };
  } catch (cause) {
    throw new LockstepError('config', buildMessage(file, cause), { cause });
  }
}

function buildMessage(file: string, cause: unknown): string {
  const error = (cause as Partial<BuildFailure>).errors?.[0];
  if (error === undefined) return `${file}: ${messageOf(cause)}`;
  const place = error.location === null ? file : `${join(dirname(file), error.location.file)}:${error.location.line}:${error.location.column + 1}`;
  return `${place}: ${error.text}`;
}
