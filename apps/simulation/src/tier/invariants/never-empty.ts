import type { TopologyEvent } from "@holdfast/core";
import type { TierDaemon } from "../world/tier-daemon.ts";
import type { FollowedLife } from "../world/tier-follower.ts";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";

/** The cluster always has a member, so an empty topology would be an unknown one that is shown as empty. */
export class NeverEmpty implements TierInvariant {
  readonly name = "never-empty";
  readonly requirements = "R7.4 R9.4";
  readonly #context: TierContext;

  constructor(context: TierContext) {
    this.#context = context;
  }

  event(event: TopologyEvent, { follower, name }: FollowedLife): void {
    this.#check(`${follower.name}, ${name}`, event);
  }

  daemonEvent(event: TopologyEvent, { name }: TierDaemon): void {
    this.#check(name, event);
  }

  #check(who: string, event: TopologyEvent): void {
    const isEmpty =
      (event.kind === "snapshot" && event.snapshot.members.size === 0) ||
      (event.kind === "status_changed" && event.to === "empty");
    if (isEmpty) this.#context.report(`${who} is empty`);
  }
}
