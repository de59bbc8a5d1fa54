/** Sets the checkout up: npm packages, native engine, kernels. Each part is skipped where it is up to date. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chooseEngine, enginePlan, hasOwnBinding, installEngine, isLinked, isMade, linkEngine } from './engine.mjs';
import { installPackages, packagesState } from './packages.mjs';
import { requirePrerequisites } from './prerequisites.mjs';
import { say } from './report.mjs';

/**
 * @param {string} root the checkout @param {string | undefined} wantedEngine as `chooseEngine` takes it
 * @throws {import('./report.mjs').SetupError}
 */
export async function setUp(root, wantedEngine) {
  const packages = packagesState(root);
  const kind = chooseEngine(wantedEngine);
  const plan = kind && enginePlan(kind);
  requirePrerequisites({
    packages: packages !== 'installed',
    engine: !plan || isMade(plan) ? undefined : { directory: plan.base, diskBytes: plan.diskBytes },
  });
  if (packages !== 'installed') await installPackages(root, packages);
  if (plan && !(isLinked(root, plan) && isMade(plan))) await setUpEngine(root, plan);
  await setUpKernels(root);
}

/** @param {string} root @param {import('./engine.mjs').EnginePlan} plan */
async function setUpEngine(root, plan) {
  if (await hasOwnBinding(root)) return;
  if (!isMade(plan)) await installEngine(root, plan);
  await linkEngine(root, plan);
}

/** @param {string} root */
async function setUpKernels(root) {
  const script = join(root, 'libs', 'reduction', 'assembly', 'build.mjs');
  if (!existsSync(script)) return;
  const { buildKernels } = await import(pathToFileURL(script).href);
  if (await buildKernels()) say('kernels: compiled to WebAssembly');
}
