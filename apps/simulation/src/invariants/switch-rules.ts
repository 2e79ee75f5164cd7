import type { ProviderChangedEvent, ProviderHealth, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import { isRestored } from "../world/snapshot-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

interface ProviderState {
  health: ProviderHealth;
  /** Monotonic time; undefined while it is not healthy. */
  healthySince: number | undefined;
  /** When its last change of health was reported. */
  reportedAt: number | undefined;
  /** When it had last been healthy for a whole cooldown. */
  provenAt: number | undefined;
  /** True after a switch away from it, until it has been healthy for a cooldown. */
  isBarred: boolean;
}

/**
 * There is at most one switch per cooldown, except to a provider that has not failed within it. A provider that was
 * left is not chosen again before it has been healthy for a whole cooldown, and neither is one that takes over because
 * of its priority. Overrides and removals are exempt. A provider that may take over does so.
 */
export class SwitchRules implements Invariant {
  readonly name = "switch-rules";
  readonly requirements = "R2.5 R2.6";
  readonly #context: InvariantContext;
  readonly #states = new Map<string, ProviderState>();
  #lastSwitchAt = Number.NEGATIVE_INFINITY;
  #instances: ReadonlyMap<string, unknown> = new Map();
  /** When an id was last removed, added or reused. Events of that moment may be about the provider before it. */
  readonly #changedAt = new Map<string, number>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#states.clear();
    this.#lastSwitchAt = Number.NEGATIVE_INFINITY;
  }

  event(event: TopologyEvent, life: Life): void {
    if (event.kind === "health_changed") {
      const state = this.#stateOf(event.providerId);
      if (event.from !== state.health && !this.#isChanging(event.providerId))
        this.#context.report(`${event.providerId} changes from ${event.from}, but was ${state.health}`);
      // A provider that is no longer watched because of a switch becomes idle before the switch is reported.
      if (this.#isProven(state)) {
        state.isBarred = false;
        state.provenAt = this.#now;
      }
      state.health = event.to;
      state.reportedAt = this.#now;
      state.healthySince = event.to === "healthy" ? this.#now : undefined;
    }
    if (event.kind === "provider_changed") this.#onSwitch(event, life);
  }

  /**
   * A provider that is not in force is forgotten, and starts again when it is added again. A replaced provider stays
   * excluded.
   */
  setChanged(life: Life): void {
    const instances = new Map(life.inForce.map((instance) => [instance.descriptor.id, instance]));
    for (const id of new Set([...instances.keys(), ...this.#instances.keys()])) {
      if (instances.get(id) !== this.#instances.get(id)) this.#changedAt.set(id, this.#now);
      // Events reported just before its removal may arrive after it.
      if (!instances.has(id) || !this.#instances.has(id)) this.#states.delete(id);
    }
    this.#instances = instances;
  }

  stepDone(life: Life): void {
    const reports = life.service.providerHealth();
    const active = reports.find(({ isActive }) => isActive);
    for (const { providerId, health } of reports) {
      const known = this.#states.get(providerId)?.health ?? "idle";
      // The last report may have been about the provider before it.
      const isNew = this.#changedAt.get(providerId) === this.#states.get(providerId)?.reportedAt;
      if (health !== "disabled" && health !== known && !isNew)
        this.#context.report(`${providerId} is ${health}, but ${known} was reported`);
    }
    const { cooldownMs } = this.#context.world.setting;
    const isCool = this.#now - this.#lastSwitchAt >= cooldownMs;
    const successor = reports.find(
      ({ providerId, health }) => health === "healthy" && this.#isProven(this.#stateOf(providerId)),
    );
    if (active !== undefined && isCool && successor !== undefined && isGivenUp(active.health))
      this.#context.report(
        `${active.providerId} is ${active.health}, but ${successor.providerId} does not take over`,
      );
  }

  #onSwitch(event: ProviderChangedEvent, life: Life): void {
    const { from, to, reason } = event;
    const { report, world } = this.#context;
    const { cooldownMs } = world.setting;
    const target = this.#stateOf(to);
    const left = this.#stateOf(from);
    const sinceMs = this.#now - this.#lastSwitchAt;
    const isRemoval = reason === "removed_by_reload";
    // The provider of highest priority delivers, and the provider it replaces is that of the content from the disk.
    const isFirstAnswer = isRestored(life.service.topology.state.snapshot);
    if (isFirstAnswer && reason === "recovered") return;
    if (this.#isChanging(to) || this.#isChanging(from)) return this.#settleSwitch(event, isFirstAnswer);
    if (!isRemoval && target.health !== "healthy")
      report(`a switch (${reason}) to ${to}, which is ${target.health}`);
    if (reason === "recovered") {
      if (!this.#isProven(target)) report(`${to} takes over by priority before a cooldown of health`);
    } else if (!isRemoval && reason !== "manual_override") {
      if (left.health === "healthy" && !isFirstAnswer)
        report(`${from} is left because of ${reason}, but is healthy`);
      if (target.isBarred && !this.#isProven(target)) report(`${to} was left and is chosen again too early`);
      const troubledAt = life.inForce.find(({ descriptor }) => descriptor.id === to)?.troubledAt ?? 0;
      // A failure at this very moment may have happened after it was chosen.
      const isUntroubled = this.#now - troubledAt >= cooldownMs || troubledAt === this.#now;
      if (sinceMs < cooldownMs && !isUntroubled)
        report(
          `a switch to ${to} ${sinceMs} ms after the last one, although it has failed within the cooldown`,
        );
    }
    this.#settleSwitch(event, isFirstAnswer);
  }

  /**
   * At the first delivery `from` is the provider of the restored snapshot, which was not active in this life and
   * therefore is not excluded.
   */
  #settleSwitch({ from, to, reason }: ProviderChangedEvent, isFirstAnswer: boolean): void {
    const left = this.#stateOf(from);
    const target = this.#stateOf(to);
    // A removal bars no provider: a removed provider starts again when it is added again.
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

  #isProven({ healthySince }: ProviderState): boolean {
    return healthySince !== undefined && this.#now - healthySince >= this.#context.world.setting.cooldownMs;
  }

  #stateOf(id: string): ProviderState {
    const known = this.#states.get(id);
    if (known !== undefined) return known;
    const state: ProviderState = {
      health: "idle",
      healthySince: undefined,
      reportedAt: undefined,
      provenAt: undefined,
      isBarred: false,
    };
    this.#states.set(id, state);
    return state;
  }
}

function isGivenUp(health: ProviderHealth): boolean {
  return health === "unreachable";
}
