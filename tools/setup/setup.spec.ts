import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chooseEngine, enginePlan, isLinked, isMade } from './engine.mjs';
import { packagesState } from './packages.mjs';

const repository = join(import.meta.dirname, '..', '..');
let directory: string;
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'lockstep-setup-')); });
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function bootstrap(root: string, args: string[], environment: NodeJS.ProcessEnv) {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'tools', 'bootstrap.mjs'), ...args], { encoding: 'utf8', timeout: 15_000, env: { ...process.env, ...environment } });
  return { status, lines: stderr.trim().split('\n') };
}

function write(path: string, content: unknown): void {
  mkdirSync(join(directory, path, '..'), { recursive: true });
  writeFileSync(join(directory, path), JSON.stringify(content));
}

describe('bootstrap', () => {
  test('names each missing prerequisite in one line with its remedy, and ends with 2', () => {
    cpSync(join(repository, 'tools'), join(directory, 'tools'), { recursive: true });
    write('package-lock.json', { packages: {} });
    const { status, lines } = bootstrap(directory, ['setup', '--engine', 'cpu'], { PATH: '/nowhere', XDG_CACHE_HOME: join(directory, 'cache') });
    expect(status).toBe(2);
    expect(lines).toEqual([
      expect.stringMatching(/npm is missing: apt-get install npm/),
      expect.stringMatching(/python3 is missing: apt-get install python3 python3-pip/),
      expect.stringMatching(/g\+\+ is missing: apt-get install g\+\+/),
    ]);
  });

  test('needs no compiler and no Python where JavaScript is the engine', () => {
    cpSync(join(repository, 'tools'), join(directory, 'tools'), { recursive: true });
    write('package-lock.json', { packages: {} });
    write('node_modules/.package-lock.json', { packages: {} });
    expect(bootstrap(directory, ['setup', '--engine=javascript'], { PATH: '/nowhere' })).toEqual({ status: 0, lines: [''] });
  });

  test('refuses a command that it does not know, and ends with 2', () => {
    expect(bootstrap(repository, ['trian'], {})).toEqual({ status: 2, lines: [expect.stringContaining('"trian": one of start, test, test:containers, image, bench, chaos, setup')] });
  });

  test('passes the exit code of what it starts through', () => {
    expect(bootstrap(repository, ['start', '--help'], {}).status).toBe(0);
    expect(bootstrap(repository, ['start', '--no-such-option'], {}).status).toBe(2);
  });
});

describe('npm packages', () => {
  const lock = { packages: { '': {}, 'libs/core': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0', optional: true } } };

  test('are absent until npm has written its record', () => {
    write('package-lock.json', lock);
    mkdirSync(join(directory, 'node_modules', 'a'), { recursive: true });
    expect(packagesState(directory)).toBe('absent');
  });

  test('are installed when the record has every version of the lock file, whatever optional ones are left out', () => {
    write('package-lock.json', lock);
    write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '1.0.0' } } });
    expect(packagesState(directory)).toBe('installed');
  });

  test('are outdated when a version differs', () => {
    write('package-lock.json', lock);
    write('node_modules/.package-lock.json', { packages: { 'node_modules/a': { version: '0.9.0' } } });
    expect(packagesState(directory)).toBe('outdated');
  });
});

describe('native engine', () => {
  test('is what was asked for, and none for JavaScript', () => {
    expect(['cpu', 'gpu', 'javascript'].map(chooseEngine)).toEqual(['cpu', 'gpu', undefined]);
    expect(chooseEngine('auto')).toBe(existsSync('/proc/driver/nvidia/version') ? 'gpu' : 'cpu');
  });

  test('has a place of its own in the cache for each kind', () => {
    expect(enginePlan('cpu').directory).not.toBe(enginePlan('gpu').directory);
  });

  test('is neither made nor linked where the links point elsewhere', () => {
    mkdirSync(join(directory, 'node_modules', '@tensorflow', 'tfjs-node-gpu'), { recursive: true });
    for (const part of ['lib', 'deps']) symlinkSync('elsewhere', join(directory, 'node_modules', '@tensorflow', 'tfjs-node-gpu', part));
    const plan = { ...enginePlan('cpu'), directory };
    expect({ made: isMade(plan), linked: isLinked(directory, plan) }).toEqual({ made: false, linked: false });
  });
});

describe('the count of the tests', () => {
  function count(report: unknown) {
    write('report.json', report);
    const { status, stdout } = spawnSync(process.execPath, [join(repository, '.ci', 'count-tests.mjs'), join(directory, 'report.json')], { encoding: 'utf8' });
    return { status, line: stdout.trim() };
  }

  test('adds a file that could not be run to the failures', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }, { status: 'failed', assertionResults: [{ status: 'failed' }] }];
    expect(count({ numPassedTests: 7, numFailedTests: 1, testResults })).toEqual({ status: 1, line: '7 passed, 2 failed' });
  });

  test('is good only where tests ran and none failed', () => {
    expect(count({ numPassedTests: 7, numFailedTests: 0, testResults: [] })).toEqual({ status: 0, line: '7 passed, 0 failed' });
    expect(count({ numPassedTests: 0, numFailedTests: 0, testResults: [] })).toEqual({ status: 1, line: '0 passed, 0 failed' });
    expect(count({})).toEqual({ status: 1, line: '0 passed, 1 failed' });
  });
});
