import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const IMAGE = 'lockstep:test';

const BUILD = fileURLToPath(new URL('../../tools/containers/build-image.mjs', import.meta.url));

/** Builds the image of this checkout, once before all container tests. */
export function setup(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BUILD, '--tag', IMAGE], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the image was not built (docker info says whether an engine runs; \`bash tools/containers/start-engine.sh\` starts one):\n${stdout}${stderr}`);
}
