import { open, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'parameters.safetensors';

/** Damages the newest checkpoint of a run, and gives its name; null where there is none. */
export async function damageNewestCheckpoint(runDirectory: string, damage: 'cut' | 'flip'): Promise<string | null> {
  const checkpoints = join(runDirectory, 'checkpoints');
  const names = await readdir(checkpoints).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const whole = names.filter((name) => /^step-\d+$/.test(name));
  const newest = whole.toSorted().at(-1);
  if (newest === undefined) return null;
  const path = join(checkpoints, newest, FILE);
  const { size } = await stat(path);
  if (damage === 'cut') await truncate(path, Math.floor(size / 2));
  else await flipBit(path, Math.floor(size * 0.7));
  return newest;
}

async function flipBit(path: string, position: number): Promise<void> {
  await using file = await open(path, 'r+');
  const byte = new Uint8Array(1);
  await file.read(byte, 0, 1, position);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 1), 0, 1, position);
}
