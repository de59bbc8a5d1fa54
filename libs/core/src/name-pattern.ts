/** Whether a whole name is as a pattern says, in which `*` stands for any characters, none included. */
export function matchesPattern(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.split('*').map((part) => RegExp.escape(part)).join('.*')}$`).test(name);
}
