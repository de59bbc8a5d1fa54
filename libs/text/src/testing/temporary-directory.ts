import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory extends Disposable {
  readonly path: string;
  file(name: string): string;
  write(name: string, content: Uint8Array | string): string;
}

/** A directory that is removed at the end of the scope: `using directory = temporaryDirectory()`. */
export function temporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), 'lockstep-text-'));
  const file = (name: string): string => join(path, name);
  return {
    path, file,
    write(name, content) {
      writeFileSync(file(name), content);
      return file(name);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}
