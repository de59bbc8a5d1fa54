/** Milliseconds since 1970, finer than one: the clock that processes of one machine share. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Takes the commands of the process that forked this one; gives what tells it something. */
export function serveParent<Command, Report extends object>(take: (command: Command) => void): (report: Report) => void {
  process.on('message', (command: Command) => take(command));
  // A process that waits for commands must not end, whoever has let go of the channel before.
  process.channel?.ref();
  return (report) => {
    if (process.connected) process.send?.(report);
  };
}
