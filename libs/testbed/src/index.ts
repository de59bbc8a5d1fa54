export { command, requireTools } from './command.ts';
export { moveAway } from './far-host.ts';
export { dropPackets, launcherOn, limitRate, Network, type Host } from './network.ts';
