import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where things of a kind are kept for later runs of this user (XDG Base Directory Specification, where a variable that is empty counts as unset). */
export const cacheDirectory = (kind: 'assets' | 'blocks' | 'tokenizers'): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lockstep', kind);
