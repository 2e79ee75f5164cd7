/** What hostile readers did to a daemon. */
export interface ReadersReport {
  /** How long each `/readyz` took, in milliseconds. */
  readonly readyMs: readonly number[];
  /** Most that the daemon had. */
  readonly residentBytes: number;
  /** Kind of client → how often it was disconnected. */
  readonly disconnected: Readonly<Record<string, number>>;
  /** What the follower that means no harm was sent wrongly, or has wrong at the end. */
  readonly differences: readonly string[];
  readonly exitCode: number | null;
  /** What the daemon printed on standard error. */
  readonly err: string;
}
