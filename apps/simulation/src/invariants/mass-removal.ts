import type { MemberSet, ProviderSnapshot, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { SimProvider } from "../world/sim-provider.ts";
import { isRestored } from "../world/snapshot-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const EPSILON_MS = 0.001;

/**
 * With the guard on, more than its share of the members never leaves at once but by one of the exits: the hold time is over,
 * an operator accepts, or another healthy provider that had listed them lists few of them now; or what they are measured by
 * was read from the disk and has expired. A hold is for something, ends in time, when it is accepted, and when a witness agrees.
 */
export class MassRemoval implements Invariant {
  readonly name = "mass-removal";
  readonly requirements = "R2.4";
  readonly #context: InvariantContext;
  #shown: ProviderSnapshot | undefined;
  #heldSince: number | undefined;
  readonly #heldOf = new Set<string>();
  #acceptedAt: number | undefined;
  /** Stand-bys that knew all who were shown as the hold began, and have said but one thing until then. */
  #witnesses: ReadonlySet<SimProvider> = new Set();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#shown = this.#heldSince = this.#acceptedAt = undefined;
    this.#witnesses = new Set();
    this.#heldOf.clear();
  }

  event(event: TopologyEvent, life: Life): void {
    this.#look(life);
    if (event.kind !== "guard_changed" || event.guard !== "mass_removal") return;
    const { massRemoval } = life.guards;
    if (massRemoval === undefined) return this.#context.report("a mass removal is held without the guard");
    // Whose answer is held may change meanwhile.
    if (event.isHolding) this.#heldOf.add(event.providerId);
    else this.#heldOf.delete(event.providerId);
    if (this.#heldOf.size === 0) {
      this.#heldSince = undefined;
    } else if (this.#heldSince === undefined) {
      this.#heldSince = this.#now;
      this.#witnesses = this.#findWitnesses(life);
      if (Math.abs(event.until - this.#context.world.clock.now() - massRemoval.holdMs) > EPSILON_MS)
        this.#context.report(`a hold begins that ends at ${event.until}`);
    }
  }

  removalsAccepted(isAccepted: boolean, life: Life): void {
    const isHeld = holdOf(life) !== undefined;
    if (isAccepted && !isHeld) this.#context.report("removals are accepted, and none were held");
    if (!isAccepted && isHeld && life.active?.delivering !== undefined)
      this.#context.report("removals are held, and cannot be accepted");
    if (isAccepted) this.#acceptedAt = this.#now;
  }

  instantDone(life: Life): void {
    this.stepDone(life);
  }

  stepDone(life: Life): void {
    this.#look(life);
    const hold = holdOf(life);
    const { massRemoval } = life.guards;
    const { snapshot } = life.service.topology.state;
    if (hold === undefined || massRemoval === undefined || snapshot === undefined) return;
    const { report } = this.#context;
    const heldSince = this.#heldSince ?? this.#now;
    const most = massRemoval.maxShare * snapshot.members.size;
    if (this.#now > heldSince + massRemoval.holdMs + EPSILON_MS)
      report(`a hold goes on ${this.#now - heldSince} ms after it began`);
    if (this.#acceptedAt === this.#now && heldSince < this.#now)
      report("removals were accepted, and are still held");
    if (hold.nodes <= most) report(`${hold.nodes} are held back, and ${most} may leave at once`);
    const answer = life.active?.answer;
    if (answer === undefined) return;
    const removed = missingIn(answer, snapshot.members);
    if (removed.length <= most) report(`a hold goes on, and the answer drops only ${removed.join("")}`);
    for (const witness of this.#witnesses) {
      if (this.#agreesAnew(witness, removed, most, massRemoval.maxShare, life))
        report(`${witness.descriptor.id} agrees that ${removed.join("")} are gone, and they are held`);
    }
  }

  get #now(): number {
    return this.#context.world.clock.monotonic();
  }

  #look(life: Life): void {
    const { snapshot } = life.service.topology.state;
    const before = this.#shown;
    this.#shown = snapshot;
    const { massRemoval } = life.guards;
    if (before === undefined || snapshot === undefined || before === snapshot) return;
    if (massRemoval === undefined) return;
    const removed = missingIn(snapshot.members, before.members);
    const most = massRemoval.maxShare * before.members.size;
    if (removed.length <= most || this.#isReleased(before, removed, most, massRemoval.holdMs, life)) return;
    this.#context.report(`${removed.join("")} leave at once, and nothing lets them`);
  }

  #isReleased(
    before: ProviderSnapshot,
    removed: readonly string[],
    most: number,
    holdMs: number,
    life: Life,
  ): boolean {
    const isOver = this.#heldSince !== undefined && this.#now + EPSILON_MS >= this.#heldSince + holdMs;
    const expiresAt = this.#context.knownGood.due(life)?.expiresAt ?? Number.POSITIVE_INFINITY;
    const isExpired = isRestored(before) && this.#now + EPSILON_MS >= expiresAt;
    return (
      isOver ||
      isExpired ||
      this.#acceptedAt === this.#now ||
      life.inForce.some((provider) => this.#agrees(provider, removed, most, life))
    );
  }

  /** It may have failed just after it said so. */
  #agrees(provider: SimProvider, removed: readonly string[], most: number, life: Life): boolean {
    if (provider === life.active) return false;
    const { id } = provider.descriptor;
    if (!isHealthy(id, life) && provider.troubledAt !== this.#now) return false;
    const said = life.instances
      .filter(({ descriptor }) => descriptor.id === id)
      .flatMap(({ revisions }) => revisions.map((revision) => countListed(removed, revision, provider)));
    return (said.at(-1) ?? 0) <= most && said.some((count) => count > most);
  }

  /** What it says now is the first thing since the hold began, and it drops too many at once itself. */
  #agreesAnew(
    witness: SimProvider,
    removed: readonly string[],
    most: number,
    maxShare: number,
    life: Life,
  ): boolean {
    const [first, second, ...others] = witness.revisions;
    const { ledger } = witness.backend;
    const had = ledger.get(first ?? "");
    const has = ledger.get(second ?? "");
    if (had === undefined || has === undefined || others.length > 0) return false;
    if (witness.answer !== has || witness === life.active || !life.inForce.includes(witness)) return false;
    if (!isHealthy(witness.descriptor.id, life)) return false;
    const isDisturbed = missingIn(has, had).length > maxShare * had.size;
    return isDisturbed && removed.filter((id) => has.has(id)).length <= most;
  }

  #findWitnesses(life: Life): ReadonlySet<SimProvider> {
    const { members } = life.service.topology.state.snapshot ?? {};
    const isFirst = ({ descriptor }: SimProvider) =>
      life.instances.filter((other) => other.descriptor.id === descriptor.id).length === 1;
    return new Set(
      life.inForce.filter((provider) => {
        const { revisions, answer, descriptor } = provider;
        if (members === undefined || answer === undefined || revisions.length !== 1) return false;
        if (provider === life.active || !isFirst(provider) || !isHealthy(descriptor.id, life)) return false;
        return missingIn(answer, members).length === 0;
      }),
    );
  }
}

function holdOf({ service }: Life): { readonly nodes: number } | undefined {
  return service.topology.state.holds.find(({ guard }) => guard === "mass_removal");
}

function isHealthy(id: string, { service }: Life): boolean {
  return service.providerHealth().some(({ providerId, health }) => providerId === id && health === "healthy");
}

function countListed(ids: readonly string[], revision: string, { backend }: SimProvider): number {
  const members = backend.ledger.get(revision);
  return ids.filter((id) => members?.has(id) === true).length;
}

/** Who of `all` the members lack. */
function missingIn(members: MemberSet, all: MemberSet): readonly string[] {
  return all
    .toArray()
    .map(({ id }) => id)
    .filter((id) => !members.has(id));
}
