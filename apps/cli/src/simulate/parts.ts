import type { StepParts } from '@lockstep/simulation';

/** How each part of a step is shown: what the workers compute in one hue, what is spent besides in others. */
export const PARTS: readonly { readonly name: keyof StepParts; readonly title: string; readonly letter: string; readonly color: string }[] = [
  { name: 'compute', title: 'compute', letter: '#', color: '#2f6fde' },
  { name: 'slowest', title: 'waiting for the slowest', letter: 's', color: '#8fb4f2' },
  { name: 'push', title: 'push', letter: '>', color: '#e0922f' },
  { name: 'reduce', title: 'reduce', letter: '+', color: '#b8a13a' },
  { name: 'optimizer', title: 'optimizer', letter: 'o', color: '#6d8f3c' },
  { name: 'pull', title: 'pull', letter: '<', color: '#c65b3b' },
  { name: 'overhead', title: 'overhead', letter: '.', color: '#8c9bb0' },
  { name: 'checkpoint', title: 'checkpoints', letter: 'c', color: '#7a5ea8' },
  { name: 'recovery', title: 'lost workers', letter: 'x', color: '#b0406f' },
];
