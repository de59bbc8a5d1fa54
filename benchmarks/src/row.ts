/** A line of the bench's table: Lockstep beside a peer or a physical limit, measured side by side in one run. */
export interface Row {
  readonly name: string;
  /** Lockstep's figure, with its unit. */
  readonly ours: string;
  /** The peer's figure and who it is; a dash where it was not measured. */
  readonly peer: string;
  /** Ours over the peer's: above 1, Lockstep is faster. Null where the peer was not measured. */
  readonly ratio: number | null;
  /** What the ratio should reach. */
  readonly goal: number | null;
  readonly note?: string;
}
