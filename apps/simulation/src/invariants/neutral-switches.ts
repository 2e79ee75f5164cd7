import type { ClusterNode, ProviderSnapshot, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import { isRestored } from "../world/snapshot-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";
import { isSameContent } from "./is-same-content.ts";

const MOST_DWELLS = 10;
/** Tolerance for sums of durations that are not whole milliseconds. */
const EPSILON_MS = 0.001;

/**
 * A member that was in the snapshot before a switch and is not listed by the new provider is kept, named in `retained`
 * and unchanged, until the new provider has been active and healthy for the dwell time in total, or ten dwells have
 * passed since the first switch and it has delivered; but no longer. A failback retains no members. Nothing is checked
 * here while a mass removal is held.
 */
export class NeutralSwitches implements Invariant {
  readonly name = "neutral-switches";
  readonly requirements = "R2.5 R4.3";
  readonly #context: InvariantContext;
  #last: ProviderSnapshot | undefined;
  #isMasked = false;
  /** True while a mass removal is held, because the underlying content is unknown. */
  #isUncertain = false;
  #provenMs = 0;
  #isHealthy = false;
  /** True when the last switch was a failback. */
  #isFailback = false;
  #lookedAt = 0;
  #lapsesAt = Number.POSITIVE_INFINITY;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#last = undefined;
    this.#isMasked = this.#isUncertain = this.#isHealthy = this.#isFailback = false;
  }

  event(event: TopologyEvent, life: Life): void {
    if (event.kind === "provider_changed") this.#isFailback = event.reason === "recovered";
    this.#look(life);
  }

  instantDone(life: Life): void {
    this.#look(life);
    this.#checkEnd(life);
  }

  stepDone(life: Life): void {
    this.#look(life);
    this.#checkEnd(life);
  }

  get #now(): number {
    return this.#context.world.clock.monotonic();
  }

  #look(life: Life): void {
    const { snapshot, holds } = life.service.topology.state;
    const now = this.#now;
    if (this.#isHealthy) this.#provenMs += now - this.#lookedAt;
    this.#lookedAt = now;
    const isMasked = holds.some(({ guard }) => guard === "mass_removal");
    if (snapshot !== undefined && !isRestored(snapshot) && snapshot !== this.#last) {
      if (isMasked || this.#isMasked) this.#isUncertain = true;
      else if (this.#last !== undefined) this.#follow(this.#last, snapshot, life);
      else if (snapshot.retained !== undefined)
        this.#context.report(`the first snapshot retains ${snapshot.retained.join("")}`);
      this.#last = snapshot;
    }
    this.#isMasked = isMasked;
    if (isMasked) this.#isUncertain = true;
    else if (snapshot?.retained === undefined) this.#isUncertain = false;
    this.#isHealthy = isServing(life, snapshot?.providerId);
  }

  #follow(before: ProviderSnapshot, after: ProviderSnapshot, life: Life): void {
    if (dwellMsOf(life, this.#context) === 0) {
      // Held content stays the same, also after its hold has ended; a block creates a new snapshot of it.
      const isMark = life.service.topology.state.isStale && isSameContent(before.members, after.members);
      if (after.retained !== undefined && !isMark)
        this.#context.report("members are retained without a dwell");
      return;
    }
    if (before.providerId !== after.providerId) return this.#takeOver(before, after, life);
    const { report } = this.#context;
    const { retained: had = [] } = before;
    const { retained: has = [] } = after;
    for (const id of has) if (!had.includes(id)) report(`${id} is retained without a switch`);
    if (this.#isUncertain || this.#isOver(life)) return;
    for (const id of had)
      if (!after.members.has(id)) report(`${id} is removed before "${after.providerId}" has proven itself`);
  }

  #takeOver(before: ProviderSnapshot, after: ProviderSnapshot, life: Life): void {
    const { report } = this.#context;
    const { retained = [] } = after;
    if (this.#isFailback) {
      if (retained.length > 0 && !this.#isUncertain)
        report(`a failback to "${after.providerId}" retains ${retained.join("")}`);
      return;
    }
    if ((before.retained?.length ?? 0) === 0) {
      this.#lapsesAt = this.#now + MOST_DWELLS * dwellMsOf(life, this.#context);
      this.#isUncertain = false;
    }
    this.#provenMs = 0;
    for (const id of retained) {
      const node = before.members.get(id);
      if (node === undefined) report(`${id} is retained at a switch, but was not in the snapshot before`);
      else if (addressOf(node) !== addressOf(after.members.get(id)))
        report(`${id} is retained at a switch with a different address`);
    }
    if (this.#isUncertain || this.#isOver(life)) return;
    for (const { id } of before.members)
      if (!after.members.has(id)) report(`the switch to "${after.providerId}" removes ${id} at once`);
  }

  #isOver(life: Life): boolean {
    return (
      this.#provenMs + EPSILON_MS >= dwellMsOf(life, this.#context) ||
      this.#now + EPSILON_MS >= this.#lapsesAt
    );
  }

  #checkEnd(life: Life): void {
    const { retained } = life.service.topology.state.snapshot ?? {};
    if (retained === undefined || this.#isUncertain) return;
    const { report } = this.#context;
    const dwellMs = dwellMsOf(life, this.#context);
    if (this.#provenMs > dwellMs + EPSILON_MS)
      report(
        `${retained.join("")} are retained although the new provider was healthy for ${this.#provenMs} ms`,
      );
    // While no provider delivers, the snapshot cannot change.
    if (this.#now > this.#lapsesAt + EPSILON_MS && life.active?.delivering !== undefined)
      report(`${retained.join("")} are retained after ten dwells`);
  }
}

function dwellMsOf({ guards }: Life, { world }: InvariantContext): number {
  return guards.removalDwellMs ?? world.setting.cooldownMs;
}

/** True when the provider of the snapshot is active and healthy. */
function isServing({ service }: Life, id: string | undefined): boolean {
  return service
    .providerHealth()
    .some(({ providerId, isActive, health }) => isActive && health === "healthy" && providerId === id);
}

function addressOf(node: ClusterNode | undefined): string {
  return `${node?.host}:${node?.port}`;
}
