/** The daemons. Each reads a backend of its own, and has the other one as standby. */
export const DAEMONS = ["a", "b"] as const;
export type DaemonName = (typeof DAEMONS)[number];

export const FOLLOWERS = ["f", "g", "h"] as const;
export type FollowerName = (typeof FOLLOWERS)[number];

/** Where connections start. */
export const PLACES = ["a", "b", "f", "g", "h"] as const;
export type Place = (typeof PLACES)[number];

/**
 * `refusing`: connections break, and new ones are refused. `hanging`: the backend accepts connections, and sends nothing.
 */
export const BACKEND_STATES = ["up", "refusing", "hanging"] as const;
export type BackendState = (typeof BACKEND_STATES)[number];

/**
 * `refused`: connections break, and new ones fail. `stalled`: what is sent arrives when the link is up again. `silent`: it never arrives,
 * and the connections break when the link is up again.
 */
export const LINK_STATES = ["up", "refused", "stalled", "silent"] as const;
export type LinkState = (typeof LINK_STATES)[number];

/**
 * How connections break. `now`: at once. `half`: in the middle of the next frame. `zombie`: at once for the client, while the server
 * still serves the connection.
 */
export const CUTS = ["now", "half", "zombie"] as const;
export type Cut = (typeof CUTS)[number];

/** What a daemon starts with: its newest good snapshot, the one that was put aside, or none. */
export const KEPT = ["newest", "aside", "none"] as const;
export type Kept = (typeof KEPT)[number];

export type TierStep =
  | { readonly do: "wait"; readonly ms: number }
  /** The cluster changes: these nodes, and one that is always a member and carries the version. */
  | { readonly do: "change"; readonly nodes: readonly string[] }
  | { readonly do: "backend"; readonly at: DaemonName; readonly is: BackendState }
  | { readonly do: "backends"; readonly is: BackendState }
  | { readonly do: "link"; readonly from: Place; readonly to: DaemonName; readonly is: LinkState }
  | { readonly do: "cut"; readonly from: Place; readonly to: DaemonName; readonly how: Cut }
  /** The next change that the daemon sends lacks a member. */
  | { readonly do: "corrupt"; readonly at: DaemonName }
  /** Puts the newest good snapshot of a daemon aside. */
  | { readonly do: "putAside"; readonly at: DaemonName }
  | { readonly do: "restart"; readonly at: DaemonName; readonly downMs: number; readonly kept: Kept }
  | { readonly do: "restartFollower"; readonly at: FollowerName }
  | { readonly do: "block"; readonly at: DaemonName; readonly node: string }
  | { readonly do: "restore"; readonly at: DaemonName; readonly node: string };

export interface FollowerSetting {
  /** The most preferred first. */
  readonly daemons: readonly DaemonName[];
  /** It follows two topologies over one connection. */
  readonly isMany: boolean;
  /** It has a last known good snapshot of its own. */
  readonly keepsSnapshot: boolean;
}

export interface TierSetting {
  readonly followers: readonly FollowerSetting[];
  readonly latencyMs: number;
  readonly retainedEvents: number;
  readonly standby: "warm" | "cold";
}

/** A run of two daemons and their followers, as plain data. */
export interface TierScript {
  readonly world: "tier";
  readonly seed: number;
  readonly setting: TierSetting;
  readonly steps: readonly TierStep[];
}
