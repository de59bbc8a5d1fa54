/**
 * `count-tests.mjs FILE...`: prints `N passed, N failed` over vitest's JSON reports. A file that could not be run counts
 * as one failure, and so does a report that is not there. Exits with 1 where anything failed or nothing ran.
 */
import { readFileSync } from 'node:fs';

function count(path) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(path, 'utf8'));
    const unrunFiles = testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'));
    return { passed: numPassedTests, failed: numFailedTests + unrunFiles.length };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

const counts = process.argv.slice(2).map(count);
const passed = counts.reduce((sum, report) => sum + report.passed, 0);
const failed = counts.reduce((sum, report) => sum + report.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
