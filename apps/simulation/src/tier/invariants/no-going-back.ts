import { DEFAULT_TOPOLOGY, type TopologyEvent } from "@holdfast/core";
import { DAEMONS, type DaemonName } from "../script/tier-script.ts";
import type { TierDaemon } from "../world/tier-daemon.ts";
import type { FollowedLife } from "../world/tier-follower.ts";
import { versionOf } from "../world/truth.ts";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";

/** What a follower has shown last. */
interface Shown {
  readonly version: number;
  readonly daemon: DaemonName;
  /** The follower has come this far in what the daemon has vouched for. */
  readonly position: number;
}

/**
 * A follower shows older content than before only after a `provider_changed`, or when its daemon vouched for that content after it had
 * vouched for the newer one.
 */
export class NoGoingBack implements TierInvariant {
  readonly name = "no-going-back";
  readonly requirements = "R7.4";
  readonly #context: TierContext;
  readonly #shown = new WeakMap<FollowedLife, Shown>();
  /** The versions that each daemon vouched for, in order, over all of its runs. */
  readonly #vouched: Readonly<Record<DaemonName, number[]>> = { a: [], b: [] };

  constructor(context: TierContext) {
    this.#context = context;
  }

  daemonEvent(_: TopologyEvent, daemon: TierDaemon): void {
    this.#observe(daemon);
  }

  tick(): void {
    for (const daemon of this.#context.world.daemons.values()) this.#observe(daemon);
  }

  event(event: TopologyEvent, followed: FollowedLife): void {
    if (followed.name !== DEFAULT_TOPOLOGY) return;
    if (event.kind === "provider_changed") this.#shown.delete(followed);
    if (event.kind !== "snapshot") return;
    const version = versionOf(event.snapshot.members);
    const daemon = DAEMONS.find((name) => name === event.snapshot.providerId);
    if (version === undefined || daemon === undefined) return;
    const before = this.#shown.get(followed);
    const from = before?.daemon === daemon ? before.position : 0;
    const position = this.#vouched[daemon].indexOf(version, from);
    this.#shown.set(followed, { version, daemon, position: Math.max(position, from) });
    if (before === undefined || version >= before.version || position >= 0) return;
    const { name } = followed.follower;
    this.#context.report(`${name} went from version ${before.version} back to ${version} of ${daemon}`);
  }

  #observe({ name, state }: TierDaemon): void {
    const version = versionOf(state?.snapshot?.members);
    if (version === undefined || state === undefined || state.isStale || state.status === "starting") return;
    const vouched = this.#vouched[name];
    if (vouched.at(-1) !== version) vouched.push(version);
  }
}
