import type { TopologyEvent, TopologyStatus } from "@holdfast/core";
import type { Life } from "../world/life.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";
import { retainedOf } from "./content-truth.ts";

/**
 * `unavailable` exactly from when every provider is unreachable or disabled (or none is left) until one delivers, and
 * from when the last known good snapshot expires until the active one delivers; `degraded` while a guard keeps members
 * that the active provider does not list; `ready` and `empty` only while the active provider is healthy, its watch is
 * open, it has sent something within the timeout, and the content is its last snapshot, in time. Content that is not
 * known to be current is marked stale.
 */
export class StatusTruth implements Invariant {
  readonly name = "status-truth";
  readonly requirements = "R2.4 R2.7 R5.3";
  readonly #context: InvariantContext;
  readonly #health = new Map<string, string>();
  #instances: ReadonlyMap<string, unknown> = new Map();
  #isExhausted = false;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#health.clear();
    this.#isExhausted = false;
  }

  event(event: TopologyEvent, life: Life): void {
    if (event.kind !== "health_changed") return;
    const { providerId, to, reason } = event;
    this.#health.set(providerId, to);
    if (to === "healthy" || (to === "degraded" && reason?.code === "STREAM_LATE")) this.#isExhausted = false;
    else this.#judge(life);
  }

  /** A replaced provider starts again. */
  setChanged(life: Life): void {
    const instances = new Map(life.inForce.map((instance) => [instance.descriptor.id, instance]));
    for (const id of this.#health.keys()) {
      if (instances.get(id) !== this.#instances.get(id)) this.#health.delete(id);
    }
    this.#instances = instances;
    this.#judge(life);
  }

  stepDone(life: Life): void {
    this.#judge(life);
    const { report } = this.#context;
    const { status, isStale, snapshot, statusReason } = life.service.topology.state;
    const reports = life.service.providerHealth().filter(({ health }) => health !== "disabled");
    const active = reports.find(({ isActive }) => isActive);
    const fate = this.#context.knownGood.fate(life);
    const isExhausted = reports.length === 0 || this.#isExhausted;
    // R2.7: also while a snapshot from the disk is in force.
    const isUnavailable = fate === "expired" || isExhausted;
    if ((status === "unavailable") !== isUnavailable)
      report(`the status is ${status} (${statusReason}), the providers are ${describe(reports)}`);
    if (statusReason === "") report(`the status ${status} has no reason`);
    const isCurrent = active?.health === "healthy";
    if (snapshot !== undefined && isStale === isCurrent)
      report(`the snapshot is ${isStale ? "" : "not "}stale, the active provider ${active?.health}`);
    const expected = expectedStatus(
      isUnavailable,
      isCurrent && snapshot?.retained === undefined,
      snapshot?.members.size,
    );
    if (status !== expected) report(`the status is ${status}, and should be ${expected}`);
    if (isCurrent && snapshot !== undefined) this.#checkCurrent(life, active.providerId);
  }

  #checkCurrent(life: Life, activeId: string): void {
    const { report, world } = this.#context;
    const { snapshot } = life.service.topology.state;
    const instance = life.inForce.find(({ descriptor }) => descriptor.id === activeId);
    const watch = [...(instance?.watches ?? [])].find(({ signal, isClosed }) => !signal.aborted && !isClosed);
    if (watch === undefined) return report(`${activeId} is healthy but not watched`);
    if (watch.isLate) report(`${activeId} is healthy although its last snapshot was late`);
    const silentMs = world.clock.monotonic() - watch.lastEventAt;
    if (silentMs > world.setting.timeoutMs)
      report(`${activeId} is healthy although it sent nothing for ${silentMs} ms`);
    if (snapshot?.providerId !== activeId)
      return report(`${activeId} is healthy, but the content is from ${snapshot?.providerId}`);
    const reported = instance?.backend.ledger.get(watch.revision ?? "");
    const retained = retainedOf(snapshot);
    const has = retained.size === 0 ? snapshot.members : snapshot.members.apply({ remove: retained });
    if (reported === undefined || reported.sum.high !== has.sum.high || reported.sum.low !== has.sum.low)
      report(`${activeId} reported ${watch.revision} last, but the content is that of ${snapshot.revision}`);
  }

  #judge(life: Life): void {
    const ids = life.inForce.map(({ descriptor }) => descriptor.id);
    const healths = ids.map((id) => this.#health.get(id) ?? "idle");
    if (healths.length > 0 && healths.every((health) => health === "unreachable")) this.#isExhausted = true;
  }
}

function expectedStatus(isUnavailable: boolean, isReady: boolean, size: number | undefined): TopologyStatus {
  if (isUnavailable) return "unavailable";
  if (size === undefined) return "starting";
  if (size === 0) return "empty";
  return isReady ? "ready" : "degraded";
}

function describe(reports: readonly { readonly providerId: string; readonly health: string }[]): string {
  return reports.map(({ providerId, health }) => `${providerId} ${health}`).join(", ") || "none";
}
