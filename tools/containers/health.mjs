/**
 * A container's health: the main loop of its `lockstep` process turns, and every port that the process listens on answers
 * a ping: a shard with one of its own, the coordinator, which speaks gRPC there, by hanging up. Exits with 0, or with 1 and a
 * line that says what does not answer.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const COMMAND = '/apps/cli/src/main.ts';
const LOOP_DEADLINE_MS = 8000;
const PORT_DEADLINE_MS = 4000;
const LISTENING = '0A';

/** A frame of a tensor stream (libs/transport/src/tensor-frame.ts): a header of 60 bytes with its length and its kind. */
const PING = Buffer.alloc(60);
PING.writeUInt32LE(PING.length, 0);
PING.writeUInt8(10, 4);

/** @param {string} path @returns {string} empty where the process has ended */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** @returns {number | undefined} the oldest process of the container that runs the command */
function findProcess() {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b);
  return pids.find((pid) => read(`/proc/${pid}/cmdline`).split('\0').some((arg) => arg.endsWith(COMMAND) || arg.endsWith('/lockstep')));
}

/** How often the main thread has gone to sleep: it does after each turn of its loop. @param {number} pid */
const turnsOf = (pid) => /^voluntary_ctxt_switches:\s*(\d+)/m.exec(read(`/proc/${pid}/task/${pid}/status`))?.[1];

/** @param {number} pid */
async function requireTurningLoop(pid) {
  const before = turnsOf(pid);
  for (let waitedMs = 0; waitedMs < LOOP_DEADLINE_MS; waitedMs += 100) {
    await delay(100);
    if (turnsOf(pid) !== before) return;
  }
  throw new Error(`the main loop of process ${pid} has not turned for ${LOOP_DEADLINE_MS} ms`);
}

/** @param {number} pid @returns {number[]} the TCP ports that the process listens on */
function portsOf(pid) {
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(target(`/proc/${pid}/fd/${fd}`))?.[1]));
  const lines = ['tcp', 'tcp6'].flatMap((name) => read(`/proc/${pid}/net/${name}`).trim().split('\n').slice(1));
  const rows = lines.map((line) => line.trim().split(/\s+/));
  return rows.filter((row) => row[3] === LISTENING && sockets.has(row[9])).map((row) => Number.parseInt(row[1]?.split(':')[1] ?? '', 16));
}

/** @param {string} link @returns {string} empty where the descriptor has been closed meanwhile */
function target(link) {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

/** @param {number} port @returns {Promise<void>} */
function requireAnswer(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(PING));
    socket.setTimeout(PORT_DEADLINE_MS, () => {
      reject(new Error(`port ${port} has not answered for ${PORT_DEADLINE_MS} ms`));
      socket.destroy();
    });
    // A connection that is reset is an answer too.
    socket.on('data', () => socket.destroy()).on('error', () => undefined).on('close', () => resolve());
  });
}

try {
  const pid = findProcess();
  if (pid === undefined) throw new Error('no lockstep process runs here');
  await requireTurningLoop(pid);
  const ports = portsOf(pid);
  await Promise.all(ports.map(requireAnswer));
  console.log(`process ${pid} is alive${ports.length > 0 ? `, ports that answer: ${ports.join(', ')}` : ''}`);
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
