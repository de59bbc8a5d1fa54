import { Command } from 'commander';
import colors from 'picocolors';
import { examineEngine } from '../doctor/engine.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkDisk, checkGpus, checkNode, checkPorts, checkProcessor, checkSharedMemory } from '../doctor/machine.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check what a run needs of this machine, and say what to do where it lacks something. Exits with 1 where something is broken.')
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: true }) => {
      const findings = await examineMachine();
      const healthy = findings.every(({ state }) => state !== 'broken');
      console.log(options.json ? JSON.stringify({ healthy, findings }) : findings.map(render).join('\n'));
      process.exitCode = healthy ? 0 : 1;
    });
}

async function examineMachine(): Promise<readonly Finding[]> {
  const { finding: engine, capabilities } = await examineEngine();
  return [
    checkNode(),
    engine,
    ...(capabilities ? [checkProcessor(capabilities.instructionSet)] : []),
    await checkGpus(capabilities?.device ?? null),
    await checkPorts(),
    await checkSharedMemory(),
    await checkDisk(),
  ];
}

const SYMBOLS = { ok: colors.green('✓'), note: colors.yellow('–'), broken: colors.red('✗') };

function render({ check, state, found, remedy }: Finding): string {
  const line = `${SYMBOLS[state]} ${check.padEnd(14)} ${found}`;
  return remedy === undefined ? line : `${line}\n  ${' '.repeat(14)} ${colors.cyan(remedy)}`;
}
