import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const IMAGE = 'lockstep:test';
/** On every container of these tests, so that those of a test that was cut off can be found. */
export const LABEL = 'lockstep.test';

const BUILD = fileURLToPath(new URL('../../tools/containers/build-image.mjs', import.meta.url));

/** Builds the image of this checkout, once before all container tests. */
export function setup(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BUILD, '--tag', IMAGE], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the image was not built (docker info says whether an engine runs; \`bash tools/containers/start-engine.sh\` starts one):\n${stdout}${stderr}`);
}

/** Removes what a test that ran out of time has left. */
export function teardown(): void {
  spawnSync('sh', ['-c', `
    docker ps --all --quiet --filter label=${LABEL} | xargs -r docker rm --force --volumes
    docker volume ls --quiet --filter label=${LABEL} | xargs -r docker volume rm --force
    docker network prune --force --filter label=org.testcontainers=true`]);
}
