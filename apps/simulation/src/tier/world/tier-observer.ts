import type { TopologyEvent } from "@holdfast/core";
import type { TierDaemon } from "./tier-daemon.ts";
import type { FollowedLife } from "./tier-follower.ts";

/** Sees everything that happens in a `TierWorld`. */
export interface TierObserver {
  /** An event of the log of a follower. */
  event?(event: TopologyEvent, followed: FollowedLife): void;
  /** An event of the log of a daemon. */
  daemonEvent?(event: TopologyEvent, daemon: TierDaemon): void;
  /** Called at least once per second, and after every step. */
  tick?(): void;
  /** All faults were repaired, and the time that recovery may take has passed. */
  healed?(): void;
  /** All followers were closed, and the daemons still run. */
  followersClosed?(): void;
  /** Everything was closed. */
  closed?(): void;
}
