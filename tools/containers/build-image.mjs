#!/usr/bin/env node
/**
 * `build-image.mjs [--tag NAME] [--base-image NAME]`: lays out the image's contents and builds it. The base image is the
 * official Node image, or one made of this machine's files where neither the machine nor a registry has that.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeBaseImage } from './base-image.mjs';
import { stageImage } from './stage.mjs';

const OFFICIAL_BASE = 'node:24-bookworm-slim';
const LOCAL_BASE = 'local/node:24';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({ options: { tag: { type: 'string', default: 'lockstep' }, 'base-image': { type: 'string' } } });

/** @param {string[]} args */
const dockerSucceeds = (...args) => spawnSync('docker', args, { stdio: 'ignore', timeout: 120_000 }).status === 0;

/** @param {string} tag */
const isHere = (tag) => dockerSucceeds('image', 'inspect', tag);

function baseImage() {
  if (isHere(OFFICIAL_BASE) || dockerSucceeds('pull', OFFICIAL_BASE)) return OFFICIAL_BASE;
  if (!isHere(LOCAL_BASE)) {
    console.error(`no registry has ${OFFICIAL_BASE} for this machine: making ${LOCAL_BASE} of its own files`);
    makeBaseImage(root, LOCAL_BASE);
  }
  return LOCAL_BASE;
}

const base = values['base-image'] ?? baseImage();
stageImage(root);
execFileSync('docker', ['build', '--tag', values.tag, '--build-arg', `BASE_IMAGE=${base}`, '.'], {
  cwd: root, stdio: ['ignore', 'inherit', 'inherit'],
});
