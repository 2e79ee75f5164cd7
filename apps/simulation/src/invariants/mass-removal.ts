import type { ClusterNode, MemberSet, ProviderSnapshot, TopologyEvent } from "@holdfast/core";
import { DEFAULT_MASS_REMOVAL } from "@holdfast/provisioning";
import type { Life } from "../world/life.ts";
import type { SimProvider } from "../world/sim-provider.ts";
import { isRestored } from "../world/snapshot-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const EPSILON_MS = 0.001;

/** The members that a healthy provider listed before the current instant. */
interface Witness {
  readonly provider: SimProvider;
  readonly answer: MemberSet;
}

/**
 * A mass removal removes no member that another healthy provider still lists, unless its objection has been overruled.
 * A kept member is not listed by the active provider, was listed by another provider (or is kept by a guard that always
 * holds, or was restored from the disk while another provider is starting up), is kept no longer than the hold time,
 * and is removed once all healthy providers agree. An accepted removal takes effect.
 */
export class MassRemoval implements Invariant {
  readonly name = "mass-removal";
  readonly requirements = "R2.8";
  readonly #context: InvariantContext;
  #shown: ProviderSnapshot | undefined;
  /**
   * The providers whose content is held now. At a switch the hold of the new provider starts before that of the old one
   * ends.
   */
  readonly #holding = new Set<string>();
  readonly #heldSince = new Map<string, number>();
  /** Members that a hold was about. A standby that still lists them may have been overruled. */
  readonly #contested = new Set<string>();
  /** Members of the snapshot that was read from the disk. */
  readonly #restored = new Set<string>();
  #acceptedAt: number | undefined;
  /** True when the guard held members at the moment when the operator accepted their removal. */
  #isHeld = false;
  /** The state before the current instant. */
  #witnesses: readonly Witness[] = [];
  #answers: ReadonlyMap<SimProvider, number> = new Map();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#shown = this.#acceptedAt = undefined;
    this.#holding.clear();
    this.#heldSince.clear();
    this.#contested.clear();
    this.#restored.clear();
    this.#witnesses = [];
    this.#answers = new Map();
  }

  event(event: TopologyEvent, life: Life): void {
    this.#look(life);
    if (event.kind !== "guard_changed" || event.guard !== "mass_removal") return;
    const { report, world } = this.#context;
    const policy = policyOf(life);
    if (policy === undefined) return report("a mass removal is held although the guard is off");
    const isNew = event.isHolding && this.#holding.size === 0;
    if (event.isHolding) this.#holding.add(event.providerId);
    else this.#holding.delete(event.providerId);
    if (!isNew) return;
    const laterMs = event.until - world.clock.now() - policy.holdMs;
    // Members that were held before, and that only the removal dwell has kept since, have what is left of their time.
    const retained = life.service.topology.state.snapshot?.retained ?? [];
    const mayBeShorter = retained.some((id) => this.#contested.has(id));
    if (laterMs > EPSILON_MS || (laterMs < -EPSILON_MS && !mayBeShorter))
      report(`a hold begins that ends at ${event.until}`);
  }

  acceptingRemovals(life: Life): void {
    this.#isHeld = holdOf(life) !== undefined;
    this.#acceptedAt = this.#isHeld ? this.#now : undefined;
  }

  removalsAccepted(isAccepted: boolean, life: Life): void {
    if (isAccepted && !this.#isHeld) this.#context.report("removals are accepted although none were held");
    if (!isAccepted && this.#isHeld && life.active?.delivering !== undefined)
      this.#context.report("removals are held but cannot be accepted");
    if (!isAccepted) this.#acceptedAt = undefined;
  }

  instantDone(life: Life): void {
    this.stepDone(life);
  }

  stepDone(life: Life): void {
    this.#look(life);
    this.#checkHold(life);
    this.#answers = new Map(life.inForce.map((provider) => [provider, provider.revisions.length]));
    this.#witnesses = life.inForce.flatMap((provider) => {
      const { answer } = provider;
      return answer === undefined || !isHealthy(provider, life) ? [] : { provider, answer };
    });
  }

  #checkHold(life: Life): void {
    const { report } = this.#context;
    const hold = holdOf(life);
    const policy = policyOf(life);
    const { snapshot, holds } = life.service.topology.state;
    const answer = life.active?.answer;
    const isDwelling = holds.some(({ guard }) => guard === "removal_dwell");
    const held = hold === undefined || isDwelling ? [] : (snapshot?.retained ?? []);
    for (const id of this.#heldSince.keys()) if (!held.includes(id)) this.#heldSince.delete(id);
    if (policy === undefined) return;
    for (const id of held) {
      const since = this.#heldSince.get(id) ?? this.#now;
      this.#heldSince.set(id, since);
      this.#contested.add(id);
      if (answer === undefined) continue;
      if (this.#now > since + policy.holdMs + EPSILON_MS)
        report(`${id} is held ${this.#now - since} ms after the hold began`);
      if (this.#acceptedAt === this.#now && since < this.#now)
        report(`the removal of ${id} was accepted, but it is still held`);
      if (answer.has(id)) report(`${id} is held although the active provider lists it`);
      if (policy.when === "always") continue;
      const mayBeListed = this.#restored.has(id) && isAnyStartingUp(life);
      if (!mayBeListed && !life.instances.some((provider) => hasListed(provider, id)))
        report(`${id} is held although no provider has ever listed it`);
      if (this.#isAgreedOn(id, life)) report(`${id} is held although all healthy providers have removed it`);
    }
  }

  /** True when every other provider is healthy, was healthy before this instant, and does not list the node. */
  #isAgreedOn(id: string, life: Life): boolean {
    return life.inForce.every((provider) => {
      if (provider === life.active) return true;
      const before = this.#witnesses.find((witness) => witness.provider === provider)?.answer;
      const { answer } = provider;
      return isHealthy(provider, life) && before?.has(id) === false && answer?.has(id) === false;
    });
  }

  get #now(): number {
    return this.#context.world.clock.monotonic();
  }

  #look(life: Life): void {
    const { snapshot, holds } = life.service.topology.state;
    const before = this.#shown;
    this.#shown = snapshot;
    if (snapshot !== undefined && isRestored(snapshot))
      for (const { id } of snapshot.members) this.#restored.add(id);
    const policy = policyOf(life);
    const { active } = life;
    const answer = active?.answer;
    if (before === undefined || snapshot === undefined || before === snapshot || policy === undefined) return;
    if (answer === undefined || active === undefined) return;
    if (holds.some(({ guard }) => guard !== "last_known_good")) {
      for (const id of snapshot.retained ?? []) this.#contested.add(id);
    }
    // Removals at the end of a hold or dwell, or of content that was only read from the disk, are checked elsewhere.
    if (before.retained !== undefined || isRestored(before)) return;
    // Several responses in one instant are separate steps.
    const isSwitch = before.providerId !== snapshot.providerId;
    const answers = active.revisions.length - (this.#answers.get(active) ?? 0);
    if (answers > (isSwitch ? 0 : 1) || this.#acceptedAt === this.#now) return;
    const all = before.members.toArray();
    const dropped = all.filter(({ id }) => !answer.has(id));
    const isLarge =
      dropped.length === all.length || (dropped.length > 1 && dropped.length >= policy.share * all.length);
    if (!isLarge) return;
    const addresses = new Set(answer.toArray().map(addressOf));
    for (const node of dropped) {
      const { id } = node;
      if (snapshot.members.has(id) || this.#contested.has(id) || addresses.has(addressOf(node))) continue;
      const witness = this.#witnesses.find(
        ({ provider, answer: listed }) =>
          provider !== active &&
          listed.has(id) &&
          provider.answer?.has(id) === true &&
          isHealthy(provider, life) &&
          provider.troubledAt !== this.#now,
      );
      const isSure =
        policy.when === "contested" ? witness !== undefined : !this.#mayBeDropped(id, active, life);
      if (isSure) this.#context.report(`${id} is removed in a mass removal without permission`);
    }
  }

  /** True when another provider had listed it and may have removed it. */
  #mayBeDropped(id: string, active: SimProvider, life: Life): boolean {
    return life.instances.some((provider) => provider !== active && hasListed(provider, id));
  }
}

function policyOf({ guards }: Life): typeof DEFAULT_MASS_REMOVAL | undefined {
  const { massRemoval = DEFAULT_MASS_REMOVAL } = guards;
  return massRemoval === false ? undefined : massRemoval;
}

function holdOf({ service }: Life): { readonly nodes: number } | undefined {
  return service.topology.state.holds.find(({ guard }) => guard === "mass_removal");
}

function isHealthy({ descriptor: { id } }: SimProvider, { service }: Life): boolean {
  return service.providerHealth().some(({ providerId, health }) => providerId === id && health === "healthy");
}

/** True when a provider that is not active has neither delivered nor failed yet. */
function isAnyStartingUp({ service }: Life): boolean {
  return service.providerHealth().some(({ health, isActive }) => health === "connecting" && !isActive);
}

function hasListed({ revisions, backend }: SimProvider, id: string): boolean {
  return revisions.some((revision) => backend.ledger.get(revision)?.has(id) === true);
}

function addressOf({ host, port }: ClusterNode): string {
  return `${host}:${port}`;
}
