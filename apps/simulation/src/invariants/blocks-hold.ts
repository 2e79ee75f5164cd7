import type { TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

/**
 * A block lasts until a good refresh after Remoting restored the node, or until a good refresh without the node; then
 * it ends. A good refresh is a snapshot or heartbeat of the active provider, in time, while it serves.
 */
export class BlocksHold implements Invariant {
  readonly name = "blocks-hold";
  readonly requirements = "R4.2 R4.4";
  readonly #context: InvariantContext;
  #blocked: ReadonlySet<string> = new Set();
  /** The moment after which a refresh lifts the block. */
  readonly #restoredAt = new Map<string, number>();
  /** The moment of the block. */
  readonly #blockedAt = new Map<string, number>();
  /** The moment from which a blocked node was no longer in the snapshot. */
  readonly #goneAt = new Map<string, number>();
  /** The moment of the last takeover. Events of the provider before that were those of a standby. */
  #tookOverAt = 0;
  /** The last moment at which a guard kept members; a refresh is not good then. */
  #keptAt = 0;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#blocked = new Set();
    this.#restoredAt.clear();
    this.#blockedAt.clear();
    this.#goneAt.clear();
    this.#tookOverAt = 0;
    this.#keptAt = 0;
  }

  event(event: TopologyEvent, life: Life): void {
    if (event.kind === "provider_changed") this.#tookOverAt = this.#context.world.moment;
    // A hold may begin and end within one step.
    if (event.kind === "guard_changed" && !event.isHolding && event.guard !== "last_known_good")
      this.#keptAt = this.#context.world.moment;
    if (event.kind !== "snapshot") return;
    const { blockedNodes, members, providerId } = event.snapshot;
    const now = this.#context.world.moment;
    for (const id of blockedNodes) if (!this.#blocked.has(id)) this.#blockedAt.set(id, now);
    for (const id of this.#blocked) {
      if (blockedNodes.includes(id)) continue;
      const fault = this.#faultOfLifting(
        id,
        members.has(id),
        confirmedAt(life, providerId) ?? Number.POSITIVE_INFINITY,
        life,
      );
      if (fault !== undefined)
        this.#context.report(`the block of ${id} is lifted at ${event.seqNo}, ${fault}`);
      this.#restoredAt.delete(id);
      this.#blockedAt.delete(id);
    }
    for (const id of blockedNodes) {
      if (members.has(id)) this.#goneAt.delete(id);
      else if (!this.#goneAt.has(id)) this.#goneAt.set(id, now);
    }
    this.#blocked = new Set(blockedNodes);
  }

  stepDone(life: Life): void {
    const { report, world } = this.#context;
    const { snapshot, restoringNodes, isStale } = life.service.topology.state;
    const blockedNodes = snapshot?.blockedNodes ?? [];
    if (snapshot?.retained !== undefined) this.#keptAt = world.moment;
    if (blockedNodes.join() !== [...this.#blocked].sort().join())
      report(`blocked are ${blockedNodes.join()}, and ${[...this.#blocked].sort().join()} were reported`);
    for (const id of restoringNodes) {
      if (!this.#restoredAt.has(id)) this.#restoredAt.set(id, world.moment);
      if (!this.#blocked.has(id)) report(`${id} is being restored, and is not blocked`);
    }
    for (const [id, at] of this.#restoredAt) {
      if (!restoringNodes.includes(id)) this.#restoredAt.delete(id);
      else if (
        !isStale &&
        (confirmedAt(life, activeOf(life)) ?? 0) >
          Math.max(at, this.#goneAt.get(id) ?? 0, this.#tookOverAt, this.#keptAt)
      )
        report(`${id} was restored, its provider has confirmed it since, and it is still blocked`);
    }
    for (const [id, at] of this.#blockedAt) {
      const isGone = snapshot?.members.has(id) === false;
      const since = Math.max(at, this.#goneAt.get(id) ?? 0, this.#tookOverAt, this.#keptAt);
      if (isGone && !isStale && (confirmedAt(life, activeOf(life)) ?? 0) > since)
        report(`${id} is gone, and still blocked`);
    }
  }

  #faultOfLifting(id: string, isMember: boolean, confirmedAtMoment: number, life: Life): string | undefined {
    const { isStale, snapshot } = life.service.topology.state;
    if (isStale) return "by content that is not current";
    if (snapshot?.retained !== undefined) return "while a guard keeps members";
    if (!isMember) return undefined;
    const restoredAt = this.#restoredAt.get(id);
    if (restoredAt === undefined) return "but it was not restored";
    return confirmedAtMoment > restoredAt
      ? undefined
      : "but its provider has sent nothing since it was restored";
  }
}

/** The moment of a provider's last event; undefined for a provider that was removed before its event was processed. */
function confirmedAt({ inForce }: Life, id: string | undefined): number | undefined {
  return inForce.find(({ descriptor }) => descriptor.id === id)?.confirmedAt;
}

function activeOf({ service }: Life): string | undefined {
  return service.providerHealth().find(({ isActive }) => isActive)?.providerId;
}
