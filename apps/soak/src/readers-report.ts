/** How the daemon behaved while hostile clients misused its endpoints. */
export interface ReadersReport {
  /** The duration of each request to `/readyz`, in milliseconds. */
  readonly readyMs: readonly number[];
  /** The largest resident size of the daemon. */
  readonly residentBytes: number;
  /** How often clients were disconnected, by kind of client. */
  readonly disconnected: Readonly<Record<string, number>>;
  /**
   * Wrong events that the well-behaved follower received, and differences between its members and the servers at the
   * end.
   */
  readonly differences: readonly string[];
  readonly exitCode: number | null;
  /** The output of the daemon on standard error. */
  readonly err: string;
}
