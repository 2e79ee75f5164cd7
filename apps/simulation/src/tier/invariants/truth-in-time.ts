import type { TopologyState } from "@holdfast/core";
import { versionOf } from "../world/truth.ts";
import type { TierContext, TierInvariant } from "./tier-invariant.ts";

const TIMEOUT_MS = 15_000;
/** The age that a state may have, and the time between two checks. */
const SLACK_MS = 3_000;

/**
 * Content that a process shows as current was true a short time ago: each process on the way from the backend may take its health timeout
 * to notice that nothing arrives any more.
 */
export class TruthInTime implements TierInvariant {
  readonly name = "truth-in-time";
  readonly requirements = "R2.7 R7.4";
  readonly #context: TierContext;

  constructor(context: TierContext) {
    this.#context = context;
  }

  tick(): void {
    const { world } = this.#context;
    for (const { name, state, otherHub } of world.daemons.values()) {
      if (state !== undefined) this.#check(name, state);
      if (otherHub !== undefined) this.#check(`${name}, other`, otherHub.state);
    }
    for (const { name, followed } of world.followers.values()) {
      for (const {
        name: topology,
        topology: { state },
      } of followed)
        this.#check(`${name}, ${topology}`, state);
    }
  }

  #check(who: string, { status, snapshot }: TopologyState): void {
    if (status !== "ready") return;
    const { world, report } = this.#context;
    const version = versionOf(snapshot?.members);
    if (version === undefined) return report(`${who} is ready without a member that is always there`);
    const hops = (snapshot?.via?.length ?? 0) + 1;
    const { latencyMs } = world.script.setting;
    const allowedMs = hops * (TIMEOUT_MS + 2 * latencyMs) + SLACK_MS;
    const wrongMs = world.clock.monotonic() - world.truth.endOf(version);
    if (wrongMs > allowedMs)
      report(
        `${who} is ready with version ${version}, which ceased to be true ${Math.round(wrongMs)} ms ago`,
      );
  }
}
