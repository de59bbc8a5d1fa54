import { signalOfParent } from '../train/parent-process.ts';

// A trial of its own ends with its sweep, by whatever cause: what it has on the disk is what the sweep goes on with.
signalOfParent().addEventListener('abort', () => process.exit(1));
await import('../main.ts');
