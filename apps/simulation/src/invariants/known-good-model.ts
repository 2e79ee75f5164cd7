import type { KnownGood, ProviderDescriptor, TopologyEvent } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Observer } from "../world/observer.ts";
import { isRestored, type LoadRecord } from "../world/snapshot-record.ts";
import { SourceNames } from "./source-names.ts";

/** How far another machine's clock may be ahead. */
const MAX_SKEW_MS = 60_000;

/** The content that a life must serve until a provider delivers. */
export interface DueSnapshot {
  readonly known: KnownGood;
  /** Monotonic time. */
  readonly expiresAt: number;
}

/**
 * The state of the snapshot that a life loaded. `none`: there was none that may be served. `serving`: it is served
 * until a provider delivers. `expired`: no provider has delivered in time, nor since. `answered`: a provider has
 * delivered.
 */
export type KnownGoodFate = "none" | "serving" | "expired" | "answered";

/** Computes how a life must use the last known good snapshot, from the disk, the configuration and the clocks. */
export class KnownGoodModel implements Observer {
  readonly sources: SourceNames = new SourceNames();
  #record: LoadRecord | undefined;
  #due: DueSnapshot | "none" | undefined;
  #isHeld = false;
  #endedAt: number | undefined;

  lifeBegan(): void {
    this.#record = this.#due = this.#endedAt = undefined;
    this.#isHeld = false;
  }

  loaded(record: LoadRecord): void {
    this.#record = record;
  }

  event(event: TopologyEvent, { clock }: Life): void {
    if (event.kind !== "guard_changed" || event.guard !== "last_known_good") return;
    this.#isHeld = event.isHolding;
    if (!event.isHolding) this.#endedAt = clock.monotonic();
  }

  get hasBegun(): boolean {
    return this.#isHeld || this.#endedAt !== undefined;
  }

  /** The reason why the loaded snapshot may not be served: the code of the expected warning. */
  faultOf({ guards, upAt }: Life): "STORE_CORRUPTED" | "STORE_EXPIRED" | undefined {
    if (this.#record?.isDamaged === true) return "STORE_CORRUPTED";
    const known = this.#record?.known;
    const { maxAgeMs = 0 } = guards.lastKnownGood ?? {};
    if (known === undefined || upAt === undefined || known.snapshot.members.size === 0) return undefined;
    const ageMs = upAt.wallMs - known.confirmedAt;
    const isYoung = ageMs >= -MAX_SKEW_MS && ageMs < maxAgeMs;
    return isYoung && this.#isConfigured(known, upAt.registered) ? undefined : "STORE_EXPIRED";
  }

  due(life: Life): DueSnapshot | undefined {
    if (this.#due === undefined && life.upAt !== undefined) this.#due = this.#compute(life) ?? "none";
    return this.#due === "none" ? undefined : this.#due;
  }

  fate(life: Life): KnownGoodFate {
    const due = this.due(life);
    if (due === undefined || !this.hasBegun) return "none";
    if (this.#isHeld) return "serving";
    const isGone = !isRestored(life.service.topology.state.snapshot);
    return isGone || (this.#endedAt ?? 0) < due.expiresAt ? "answered" : "expired";
  }

  #compute(life: Life): DueSnapshot | undefined {
    const { upAt, guards } = life;
    const known = this.#record?.known;
    if (known === undefined || upAt === undefined || guards.lastKnownGood === undefined) return undefined;
    if (known.snapshot.members.size === 0 || this.faultOf(life) !== undefined) return undefined;
    const ageMs = Math.max(upAt.wallMs - known.confirmedAt, 0);
    return { known, expiresAt: upAt.monotonicMs + guards.lastKnownGood.maxAgeMs - ageMs };
  }

  #isConfigured({ source }: KnownGood, registered: readonly ProviderDescriptor[]): boolean {
    return registered.some((descriptor) => this.sources.nameOf(descriptor) === source);
  }
}
