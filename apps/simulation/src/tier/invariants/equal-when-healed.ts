import { DEFAULT_TOPOLOGY, diffMembers, type MemberSet, type TopologyState } from "@holdfast/core";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";

/** After all faults were repaired every daemon has what is true, and every follower equals its daemon, member by member and hash by hash. */
export class EqualWhenHealed implements TierInvariant {
  readonly name = "equal-when-healed";
  readonly requirements = "R7.4";
  readonly #context: TierContext;

  constructor(context: TierContext) {
    this.#context = context;
  }

  healed(): void {
    const { world, report } = this.#context;
    const { memberSet } = world.truth;
    for (const { name, state, active, otherHub } of world.daemons.values()) {
      this.#isTrue(name, state, memberSet);
      this.#isTrue(`${name}, other`, otherHub?.state, memberSet);
      if (active !== "backend") report(`${name} follows ${active} although its backend is up`);
    }
    for (const { name, setting, followed } of world.followers.values()) {
      const daemon = world.daemon(setting.daemons[0]!);
      for (const {
        name: topology,
        topology: { state },
      } of followed) {
        const who = `${name}, ${topology}`;
        this.#isTrue(who, state, memberSet);
        const served = topology === DEFAULT_TOPOLOGY ? daemon.hub : daemon.otherHub;
        if (state.snapshot?.hash !== served?.state.snapshot?.hash)
          report(`${who} has another hash than ${daemon.name}`);
        if (state.snapshot?.providerId !== daemon.name)
          report(`${who} follows ${state.snapshot?.providerId} instead of ${daemon.name}`);
      }
    }
  }

  #isTrue(who: string, state: TopologyState | undefined, expected: MemberSet): void {
    const { report } = this.#context;
    const { status, statusReason, snapshot } = state ?? {};
    if (status !== "ready") return report(`${who} is ${status}: ${statusReason}`);
    const { added, updated, removed } = diffMembers(expected, snapshot!.members);
    const differences = added.length + updated.length + removed.length;
    if (differences > 0) report(`${who} differs from what is true in ${differences} members`);
  }
}
