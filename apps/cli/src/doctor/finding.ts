/** What a check found: fine, worth knowing, or something that keeps a run from working. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'broken';
  readonly found: string;
  /** What to do about it, unless it is fine. */
  readonly remedy?: string;
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found });
export const note = (check: string, found: string, remedy: string): Finding => ({ check, state: 'note', found, remedy });
export const broken = (check: string, found: string, remedy: string): Finding => ({ check, state: 'broken', found, remedy });
