import type { TopologyEvent } from "@holdfast/core";
import type { TierDaemon } from "../world/tier-daemon.ts";
import type { FollowedLife } from "../world/tier-follower.ts";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";

const WINDOW_MS = 60_000;
/** Far more than the steps of a script and the faults that follow from them cause. */
const MAX_EVENTS = 120;

/** No log grows without a cause, as it would if daemons in a circle exchanged their contents. */
export class BoundedLogs implements TierInvariant {
  readonly name = "bounded-logs";
  readonly requirements = "R7.4 R7.5";
  readonly #context: TierContext;
  /** The times of the newest events of each log, in monotonic milliseconds. */
  readonly #times = new WeakMap<object, number[]>();

  constructor(context: TierContext) {
    this.#context = context;
  }

  event(_: TopologyEvent, followed: FollowedLife): void {
    this.#count(followed, `${followed.follower.name}, ${followed.name}`);
  }

  daemonEvent(_: TopologyEvent, daemon: TierDaemon): void {
    this.#count(daemon, daemon.name);
  }

  #count(log: object, who: string): void {
    const { world, report } = this.#context;
    const times = this.#times.get(log) ?? [];
    this.#times.set(log, times);
    const now = world.clock.monotonic();
    times.push(now);
    if (times.length <= MAX_EVENTS) return;
    const first = times.shift()!;
    if (now - first < WINDOW_MS) report(`the log of ${who} got ${MAX_EVENTS} events within ${WINDOW_MS} ms`);
  }
}
