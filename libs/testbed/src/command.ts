import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program of the system to its end; fails with what it said. */
export async function command(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, [...args]);
  return stdout;
}

/** @throws where this machine cannot make hosts and faults for `what`: that needs root and a few programs. */
export async function requireTools(what: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error(`${what} needs root: hosts are network namespaces with mounts of their own`);
  for (const [program, ...args] of [['ip', '-V'], ['tc', '-V'], ['iptables', '-V'], ['unshare', '-V'], ['mount', '-V']] as const) {
    await command(program, ...args).catch((cause: unknown) => {
      throw new Error(`${what} needs ${program}: apt-get install iproute2 iptables util-linux mount`, { cause });
    });
  }
}
