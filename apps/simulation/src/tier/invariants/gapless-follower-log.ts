import type { SnapshotHash, TopologyEvent } from "@holdfast/core";
import type { FollowedLife } from "../world/tier-follower.ts";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";

interface Seen {
  readonly seqNo: number;
  readonly hash: SnapshotHash | undefined;
  readonly providerId: string | undefined;
}

/** The log of a follower has no gap, its contents form a chain, and each change of the daemon is announced before its content. */
export class GaplessFollowerLog implements TierInvariant {
  readonly name = "gapless-follower-log";
  readonly requirements = "R3.4 R7.4";
  readonly #context: TierContext;
  readonly #seen = new WeakMap<FollowedLife, Seen>();

  constructor(context: TierContext) {
    this.#context = context;
  }

  event(event: TopologyEvent, followed: FollowedLife): void {
    const { report } = this.#context;
    const { name } = followed.follower;
    const before = this.#seen.get(followed) ?? { seqNo: 0, hash: undefined, providerId: undefined };
    if (event.seqNo !== before.seqNo + 1) report(`${name}: event ${event.seqNo} follows ${before.seqNo}`);
    let { hash, providerId } = before;
    if (event.kind === "provider_changed") providerId = event.to;
    if (event.kind === "snapshot") {
      const { snapshot, previousHash } = event;
      if (previousHash !== hash) report(`${name}: the content of event ${event.seqNo} follows another one`);
      if (providerId !== undefined && snapshot.providerId !== providerId)
        report(`${name}: content of ${snapshot.providerId} while ${providerId} was announced`);
      ({ hash, providerId } = snapshot);
    }
    this.#seen.set(followed, { seqNo: event.seqNo, hash, providerId });
  }
}
