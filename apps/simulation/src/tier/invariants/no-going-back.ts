import { DEFAULT_TOPOLOGY, type TopologyEvent } from "@holdfast/core";
import { DAEMONS, type DaemonName } from "../script/tier-script.ts";
import type { TierDaemon } from "../world/tier-daemon.ts";
import type { FollowedLife } from "../world/tier-follower.ts";
import { versionOf } from "../world/truth.ts";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";

interface Shown {
  readonly version: number;
  readonly at: number;
}

/**
 * A follower shows older content than before only after a `provider_changed`, or when its daemon vouched for that content later than for
 * the newer one.
 */
export class NoGoingBack implements TierInvariant {
  readonly name = "no-going-back";
  readonly requirements = "R7.4";
  readonly #context: TierContext;
  readonly #shown = new WeakMap<FollowedLife, Shown>();
  /** When each daemon last vouched for a version, in monotonic milliseconds. */
  readonly #vouchedAt = new Map<DaemonName, Map<number, number>>(DAEMONS.map((name) => [name, new Map()]));

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
    if (version === undefined) return;
    const at = this.#context.world.clock.monotonic();
    const before = this.#shown.get(followed);
    this.#shown.set(followed, { version, at });
    if (before === undefined || version >= before.version) return;
    const daemon = DAEMONS.find((name) => name === event.snapshot.providerId);
    const vouchedAt = daemon && this.#vouchedAt.get(daemon)?.get(version);
    if (vouchedAt !== undefined && vouchedAt >= before.at) return;
    const { name } = followed.follower;
    this.#context.report(`${name} went from version ${before.version} back to ${version} of ${daemon}`);
  }

  #observe({ name, state }: TierDaemon): void {
    const version = versionOf(state?.snapshot?.members);
    if (version === undefined || state === undefined || state.isStale || state.status === "starting") return;
    this.#vouchedAt.get(name)!.set(version, this.#context.world.clock.monotonic());
  }
}
