import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What `save-until-failure.ts` prints. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  /** How many times saving worked before. */
  readonly numSaved: number;
  /** How many of them can be read afterwards. */
  readonly numRead: number;
  /** Every file of the run afterwards, relative to its directory. */
  readonly files: readonly string[];
}

export type Saved = 'checkpoint' | 'journal' | 'receipts';

const SCRIPT = fileURLToPath(new URL('./save-until-failure.ts', import.meta.url));

/** In a user namespace without rights over files, so that permissions hold even where the tests run as root. */
export const saveWithoutRights = (what: Saved, runs: string): Promise<Failure> => run('unshare', '--user', process.execPath, SCRIPT, what, runs);

/** In a mount namespace where a file system of so many bytes lies over `runs`. */
export function saveOnSmallDisk(what: Saved, runs: string, bytes: number): Promise<Failure> {
  const mount = `mount -t tmpfs -o size=${bytes} tmpfs "$0" && exec "$@"`;
  return run('unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mount, runs, process.execPath, SCRIPT, what, runs);
}

function run(command: string, ...args: readonly string[]): Promise<Failure> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text: Buffer) => { stdout += text.toString(); });
    child.stderr.on('data', (text: Buffer) => { stderr += text.toString(); });
    child.on('error', reject).on('close', () => {
      if (stdout === '') reject(new Error(`nothing came back: ${stderr}`));
      else resolve(JSON.parse(stdout) as Failure);
    });
  });
}
