export interface FailureShareOptions {
  /** The share of failed calls from which on a member is ejected, in (0, 1]. @defaultValue 0.5 */
  readonly share?: number | undefined;
  /** Calls in the window below which the share says nothing. @defaultValue 20 */
  readonly minCalls?: number | undefined;
}

export interface LatencyOptions {
  /** A member is ejected when its mean latency is more than this many times the median of the members. @defaultValue 3 */
  readonly factor?: number | undefined;
  /** And at least this many milliseconds above the median. @defaultValue 50 */
  readonly minExcessMs?: number | undefined;
  /** Successful calls in the window below which a mean says nothing. @defaultValue 20 */
  readonly minCalls?: number | undefined;
}

/** When a member that fails for this client is ejected, and how it returns. */
export interface EjectionOptions {
  /** Failures in a row that eject a member. @defaultValue 5 */
  readonly consecutiveFailures?: number | false | undefined;
  /** Ejects by the share of failed calls in the window. @defaultValue `{ share: 0.5, minCalls: 20 }` */
  readonly failureShare?: FailureShareOptions | false | undefined;
  /** Ejects members that are much slower than the others. @defaultValue off */
  readonly latency?: LatencyOptions | false | undefined;
  /** The time over which calls are counted, in milliseconds. @defaultValue 10000 */
  readonly windowMs?: number | undefined;
  /** The share of the members that may be ejected at once, 0 to 1. One always may, unless it is the last. @defaultValue 0.5 */
  readonly maxShare?: number | undefined;
  /** How long a member is ejected for the first time, in milliseconds; twice as long each further time. @defaultValue 10000 */
  readonly ejectMs?: number | undefined;
  /** The longest time of one ejection, in milliseconds. @defaultValue 300000 */
  readonly maxEjectMs?: number | undefined;
  /** Calls that a member gets at once while it is probed. @defaultValue 1 */
  readonly probeCalls?: number | undefined;
  /** Successful calls that end the probing. @defaultValue 3 */
  readonly probeSuccesses?: number | undefined;
  /** The share of all members that may be blocked at once because of ejections, with `blocks`. One always may. @defaultValue 0.2 */
  readonly maxBlockedShare?: number | undefined;
}

/** The options with their defaults. */
export interface EjectionSettings {
  /** Infinity: off. */
  readonly consecutiveFailures: number;
  readonly failureShare: { readonly share: number; readonly minCalls: number } | undefined;
  readonly latency:
    | { readonly factor: number; readonly minExcessMs: number; readonly minCalls: number }
    | undefined;
  readonly windowMs: number;
  readonly maxShare: number;
  readonly ejectMs: number;
  readonly maxEjectMs: number;
  readonly probeCalls: number;
  readonly probeSuccesses: number;
  readonly maxBlockedShare: number;
}

export function toEjectionSettings(options: EjectionOptions = {}): EjectionSettings {
  const { consecutiveFailures = 5, failureShare = {}, latency = false } = options;
  return {
    consecutiveFailures: consecutiveFailures === false ? Infinity : consecutiveFailures,
    failureShare:
      failureShare === false
        ? undefined
        : { share: failureShare.share ?? 0.5, minCalls: failureShare.minCalls ?? 20 },
    latency:
      latency === false
        ? undefined
        : {
            factor: latency.factor ?? 3,
            minExcessMs: latency.minExcessMs ?? 50,
            minCalls: latency.minCalls ?? 20,
          },
    windowMs: options.windowMs ?? 10_000,
    maxShare: options.maxShare ?? 0.5,
    ejectMs: options.ejectMs ?? 10_000,
    maxEjectMs: options.maxEjectMs ?? 300_000,
    probeCalls: options.probeCalls ?? 1,
    probeSuccesses: options.probeSuccesses ?? 3,
    maxBlockedShare: options.maxBlockedShare ?? 0.2,
  };
}
