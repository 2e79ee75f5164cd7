/** Deadlines and limits for the calls of a port. */
export interface PortPolicy {
  /**
   * Deadline of one call in milliseconds, and how long the other port of a lane waits for this one. @defaultValue 10000
   */
  readonly timeoutMs: number;
  /**
   * Number of tries for one snapshot, notice or set of leases before it is given up for the time being. @defaultValue
   * 10
   */
  readonly tries: number;
  /** A call that has been in progress for this many milliseconds is reported. @defaultValue 5000 */
  readonly slowAfterMs: number;
  /** Maximum number of notices that wait for one port. Beyond that the oldest is parked. @defaultValue 1000 */
  readonly maxWaiting: number;
}

export type PortPolicyOptions = { readonly [K in keyof PortPolicy]?: PortPolicy[K] | undefined };

export function toPortPolicy(options: PortPolicyOptions = {}): PortPolicy {
  const { timeoutMs = 10_000, tries = 10, slowAfterMs = 5_000, maxWaiting = 1_000 } = options;
  return { timeoutMs, tries, slowAfterMs, maxWaiting };
}
