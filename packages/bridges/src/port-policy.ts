/** How long, and how often, a port is called. */
export interface PortPolicy {
  /** Deadline of one call, and how long the other port of a lane waits for this one, in milliseconds. @defaultValue 10000 */
  readonly timeoutMs: number;
  /** Tries for one snapshot, notice or set of leases before it is given up for now. @defaultValue 10 */
  readonly tries: number;
  /** A call in progress for this long is reported, in milliseconds. @defaultValue 5000 */
  readonly slowAfterMs: number;
  /** Notices that may wait for one port; beyond that the oldest is parked. @defaultValue 1000 */
  readonly maxWaiting: number;
}

export type PortPolicyOptions = { readonly [K in keyof PortPolicy]?: PortPolicy[K] | undefined };

export function toPortPolicy(options: PortPolicyOptions = {}): PortPolicy {
  const { timeoutMs = 10_000, tries = 10, slowAfterMs = 5_000, maxWaiting = 1_000 } = options;
  return { timeoutMs, tries, slowAfterMs, maxWaiting };
}
