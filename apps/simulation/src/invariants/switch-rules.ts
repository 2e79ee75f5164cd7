import type { ProviderChangedEvent, ProviderHealth, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import { isRestored } from "../world/snapshot-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

interface Standing {
  health: ProviderHealth;
  /** Monotonic; absent while it is not healthy. */
  healthySince: number | undefined;
  /** When its health last changed. */
  toldAt: number | undefined;
  /** When it was last seen to have been healthy for a cooldown. */
  provenAt: number | undefined;
  /** It was left, and must be healthy for a cooldown before it is chosen again. */
  isBarred: boolean;
}

/**
 * At most one switch per cooldown, but to a provider that has not failed within it; nobody who was left comes back before a
 * whole cooldown of health; who gets its place back by priority has been healthy for one; an override and a removal are
 * exempt; and whoever may take over does.
 */
export class SwitchRules implements Invariant {
  readonly name = "switch-rules";
  readonly requirements = "R2.5 R2.6";
  readonly #context: InvariantContext;
  readonly #standings = new Map<string, Standing>();
  #lastSwitchAt = Number.NEGATIVE_INFINITY;
  #instances: ReadonlyMap<string, unknown> = new Map();
  /** When an id was last taken away, put in or given to another. What is told of it then may be of the one before. */
  readonly #changedAt = new Map<string, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#standings.clear();
    this.#lastSwitchAt = Number.NEGATIVE_INFINITY;
  }

  event(event: TopologyEvent, life: Life): void {
    if (event.kind === "health_changed") {
      const standing = this.#standingOf(event.providerId);
      if (event.from !== standing.health && !this.#isChanging(event.providerId))
        this.#context.report(`${event.providerId} goes from ${event.from}, and was ${standing.health}`);
      // Who is not watched any more because of a switch is told to be idle ahead of it.
      if (this.#isProven(standing)) {
        standing.isBarred = false;
        standing.provenAt = this.#now;
      }
      standing.health = event.to;
      standing.toldAt = this.#now;
      standing.healthySince = event.to === "healthy" ? this.#now : undefined;
    }
    if (event.kind === "provider_changed") this.#onSwitch(event, life);
  }

  /** Who is not in force is forgotten, and begins anew when it comes back; one that is replaced keeps its bar. */
  setChanged(life: Life): void {
    const instances = new Map(life.inForce.map((instance) => [instance.descriptor.id, instance]));
    for (const id of new Set([...instances.keys(), ...this.#instances.keys()])) {
      if (instances.get(id) !== this.#instances.get(id)) this.#changedAt.set(id, this.#now);
      // What was told of it just before it was taken away may have come after that.
      if (!instances.has(id) || !this.#instances.has(id)) this.#standings.delete(id);
    }
    this.#instances = instances;
  }

  stepDone(life: Life): void {
    const reports = life.service.providerHealth();
    const active = reports.find(({ isActive }) => isActive);
    for (const { providerId, health } of reports) {
      const known = this.#standings.get(providerId)?.health ?? "idle";
      // The last that was told may have been of the one before it.
      const isNew = this.#changedAt.get(providerId) === this.#standings.get(providerId)?.toldAt;
      if (health !== "disabled" && health !== known && !isNew)
        this.#context.report(`${providerId} is ${health}, and ${known} was told`);
    }
    const { cooldownMs } = this.#context.world.setting;
    const isCool = this.#now - this.#lastSwitchAt >= cooldownMs;
    const heir = reports.find(
      ({ providerId, health }) => health === "healthy" && this.#isProven(this.#standingOf(providerId)),
    );
    if (active !== undefined && isCool && heir !== undefined && isGivenUp(active.health))
      this.#context.report(
        `${active.providerId} is ${active.health}, and ${heir.providerId} does not take over`,
      );
  }

  #onSwitch(event: ProviderChangedEvent, life: Life): void {
    const { from, to, reason } = event;
    const { report, world } = this.#context;
    const { cooldownMs } = world.setting;
    const target = this.#standingOf(to);
    const left = this.#standingOf(from);
    const sinceMs = this.#now - this.#lastSwitchAt;
    const isRemoval = reason === "removed_by_reload";
    // The first in line answers, and what is left is content of the disk.
    const isFirstAnswer = isRestored(life.service.topology.state.snapshot);
    if (isFirstAnswer && reason === "recovered") return;
    if (this.#isChanging(to) || this.#isChanging(from)) return this.#settleSwitch(event, isFirstAnswer);
    if (!isRemoval && target.health !== "healthy")
      report(`a switch (${reason}) to ${to}, which is ${target.health}`);
    if (reason === "recovered") {
      if (!this.#isProven(target)) report(`${to} gets its place back before a cooldown of health`);
    } else if (!isRemoval && reason !== "manual_override") {
      if (left.health === "healthy" && !isFirstAnswer)
        report(`${from} is left because of ${reason}, and is healthy`);
      if (target.isBarred && !this.#isProven(target)) report(`${to} was left, and is chosen again too early`);
      const troubledAt = life.inForce.find(({ descriptor }) => descriptor.id === to)?.troubledAt ?? 0;
      // What troubles it just now it may have done after it was chosen.
      const isUntroubled = this.#now - troubledAt >= cooldownMs || troubledAt === this.#now;
      if (sinceMs < cooldownMs && !isUntroubled)
        report(`a switch to ${to} ${sinceMs} ms after the last one, and it has failed within the cooldown`);
    }
    this.#settleSwitch(event, isFirstAnswer);
  }

  /** On the first answer `from` is the provider of the restored snapshot: not active in this life, it was not left either. */
  #settleSwitch({ from, to, reason }: ProviderChangedEvent, isFirstAnswer: boolean): void {
    const left = this.#standingOf(from);
    const target = this.#standingOf(to);
    // A mere removal bars nobody: who was taken away begins anew when it comes back.
    left.isBarred =
      !isFirstAnswer &&
      this.#instances.has(from) &&
      reason !== "removed_by_reload" &&
      !this.#isProven(left) &&
      left.provenAt !== this.#now;
    target.isBarred = false;
    this.#lastSwitchAt = this.#now;
  }

  get #now(): number {
    return this.#context.world.clock.monotonic();
  }

  #isChanging(id: string): boolean {
    return this.#changedAt.get(id) === this.#now;
  }

  #isProven({ healthySince }: Standing): boolean {
    return healthySince !== undefined && this.#now - healthySince >= this.#context.world.setting.cooldownMs;
  }

  #standingOf(id: string): Standing {
    const known = this.#standings.get(id);
    if (known !== undefined) return known;
    const standing: Standing = {
      health: "idle",
      healthySince: undefined,
      toldAt: undefined,
      provenAt: undefined,
      isBarred: false,
    };
    this.#standings.set(id, standing);
    return standing;
  }
}

function isGivenUp(health: ProviderHealth): boolean {
  return health === "unreachable";
}
