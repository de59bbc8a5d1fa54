import { setTimeout as delay } from 'node:timers/promises';

export interface RoomOptions {
  /** Whether it is still worth waiting. */
  readonly goOn: () => boolean;
  /** Told once, with the error of the first attempt, when it waits. */
  readonly onWaiting?: (error: unknown) => void;
}

/** How soon it is tried again. */
const AGAIN_AFTER_MS = 250;
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** Tries what writes to a disk again and again while that is full. Rejects as `attempt` does for any other reason, or when it is not worth waiting any more. */
export async function onceThereIsRoom<T>(attempt: () => Promise<T>, { goOn, onWaiting }: RoomOptions): Promise<T> {
  for (let isWaiting = false; ; isWaiting = true) {
    try {
      return await attempt();
    } catch (error) {
      if (!isForWantOfRoom(error) || !goOn()) throw error;
      if (!isWaiting) onWaiting?.(error);
      await delay(AGAIN_AFTER_MS);
    }
  }
}

/** Of the system's error or of one that was caused by it. */
function isForWantOfRoom(error: unknown): boolean {
  return error instanceof Error && (NO_ROOM.includes((error as NodeJS.ErrnoException).code) || isForWantOfRoom(error.cause));
}
