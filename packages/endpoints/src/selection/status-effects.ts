import type { TopologyStatus } from "@holdfast/core";

/**
 * - `use`: a new call uses one of the endpoints.
 * - `wait`: a new call waits until the endpoints are usable, and fails with the refusal at its deadline.
 * - `refuse`: a new call fails at once with the refusal.
 */
export type NewCallEffect = "use" | "wait" | "refuse";

/**
 * - `keep`: connections to the listed endpoints stay open; others are closed after their last call.
 * - `finish`: all connections are closed after their last call, and none is opened.
 * - `close`: all connections are closed.
 */
export type ConnectionEffect = "keep" | "finish" | "close";

/** What a status of the topology means for callers. */
export interface StatusEffect {
  readonly newCalls: NewCallEffect;
  readonly connections: ConnectionEffect;
}

export type StatusEffects = Readonly<Record<TopologyStatus, StatusEffect>>;

/** The effect of each status, unless `statusEffects` changes it. `use` needs an endpoint; without one, new calls wait or are refused. */
export const STATUS_EFFECTS: StatusEffects = {
  // Nothing is known yet, so a call has to wait for the first snapshot.
  starting: { newCalls: "wait", connections: "keep" },
  ready: { newCalls: "use", connections: "keep" },
  // The last members are the best that is known. Whether they still work, calls find out.
  degraded: { newCalls: "use", connections: "keep" },
  // The active provider confirms that there are no members.
  empty: { newCalls: "refuse", connections: "keep" },
  // As `degraded`, for `keepUnavailableMs`. After that new calls are refused.
  unavailable: { newCalls: "use", connections: "keep" },
  draining: { newCalls: "refuse", connections: "finish" },
  stopped: { newCalls: "refuse", connections: "close" },
};

/** Changes the effect of single statuses. */
export type StatusEffectOverrides = Readonly<Partial<Record<TopologyStatus, Partial<StatusEffect>>>>;

export function withOverrides(overrides: StatusEffectOverrides = {}): StatusEffects {
  const effects: Record<TopologyStatus, StatusEffect> = { ...STATUS_EFFECTS };
  for (const [status, change] of entriesOf(overrides)) effects[status] = { ...effects[status], ...change };
  return effects;
}

function entriesOf(overrides: StatusEffectOverrides): [TopologyStatus, Partial<StatusEffect>][] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.entries loses the type of the keys
  return Object.entries(overrides) as [TopologyStatus, Partial<StatusEffect>][];
}
