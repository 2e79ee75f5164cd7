import type { Admission } from "@holdfast/bridges";
import type { ProviderDescriptor } from "@holdfast/core";
import type { Absence, BackendId, ProviderSpec, Step } from "../script/script.ts";
import { admissionStatusOf, type AdmissionRecord } from "./admission-record.ts";
import type { LeaseOffer } from "./lease-offer.ts";
import type { Life } from "./life.ts";
import { toDescriptor } from "./sim-adapter.ts";
import type { World } from "./world.ts";

/** The set that another process saves. */
const FOREIGN: readonly ProviderDescriptor[] = [toDescriptor({ id: "q", priority: 7, variant: 9 })];

/** Executes one step. Work that it starts may continue after it. */
export async function takeStep(step: Step, world: World): Promise<void> {
  const { clock, life, backends, ports, disk } = world;
  switch (step.do) {
    case "wait":
      return clock.advance(step.ms);
    case "members":
      return backends.get(step.at)?.setMembers(step.nodes, step.skipped ?? 0);
    case "behaviour":
      return backends.get(step.at)?.setBehaviour(step.behaviour);
    case "latency": {
      const backend = backends.get(step.at);
      if (backend !== undefined) backend.latencyMs = step.ms;
      return;
    }
    case "incident":
      return backends.get(step.at)?.cause(step.incident);
    case "reload":
    case "register":
    case "remove":
    case "restoreSet":
    case "resubmit":
      return changeSet(step, world);
    case "block":
      return void life.service.remoting?.block(step.node);
    case "restore":
      return void life.service.remoting?.restore(step.node);
    case "override":
      return override(step.id, life);
    case "admit":
      return admit(life, createAbort(step.abortAfterMs, world));
    case "leases":
      return publishLeases(step.back, world);
    case "port":
      return ports[step.port].setBehaviour(step.behaviour, step.ms);
    case "disk":
      return disk.cause(step.fault, FOREIGN);
    case "snapshotFile":
      return world.files.cause(step.fault);
    case "acceptRemovals":
      return acceptRemovals(world);
    case "jump":
      return world.jump(step.ms);
    case "restart":
      await world.stopLife(step.deadlineMs);
      return beginAgain(world, step.away);
    case "kill":
      world.killLife();
      return beginAgain(world, step.away);
  }
}

async function beginAgain(world: World, away: Absence | undefined): Promise<void> {
  if (away !== undefined) {
    await world.clock.advance(away.ms);
    world.jump(away.jumpMs);
  }
  world.beginLife();
}

function acceptRemovals({ life, observers, trace }: World): void {
  if (!life.isUp) return;
  for (const observer of observers) observer.acceptingRemovals?.(life);
  const isAccepted = life.service.acceptRemovals();
  trace.write(`removals ${isAccepted ? "" : "not "}accepted`);
  for (const observer of observers) observer.removalsAccepted?.(isAccepted, life);
}

function changeSet(
  step: Extract<Step, { readonly do: "reload" | "register" | "remove" | "restoreSet" | "resubmit" }>,
  world: World,
): void {
  const { life } = world;
  const { registry } = life.service;
  switch (step.do) {
    case "reload": {
      const signal = createAbort(step.abortAfterMs, world);
      const set = step.set.map(toDescriptor);
      return life.track("reload", registry.reload(set, { signal }), () => step.set.map(toExpected));
    }
    case "register": {
      const signal = createAbort(step.abortAfterMs, world);
      const work = registry.register(toDescriptor(step.provider), { signal });
      return life.track("register", work, (before) => [...before, toExpected(step.provider)]);
    }
    case "remove":
      return life.track("remove", registry.remove(step.id), (before) =>
        before.filter(({ id }) => id !== step.id),
      );
    case "resubmit": {
      const set = life.registered;
      const definitions = set.map(({ id, kind, priority, params }) => ({ id, kind, priority, params }));
      return life.track("resubmit", registry.reload(definitions), () => set);
    }
    case "restoreSet": {
      let loaded: readonly ProviderDescriptor[] = [];
      // At this moment: a later operation may load the set again.
      const work = registry.restore().then(() => (loaded = life.store.loaded));
      return life.track("restoreSet", work, () => loaded);
    }
  }
}

function toExpected(spec: ProviderSpec): ProviderDescriptor {
  const descriptor = toDescriptor(spec);
  if (spec.flaw !== "blind") return descriptor;
  return { ...descriptor, disabled: { code: "VALIDATION_MISSING_CAPABILITY", message: "" } };
}

/** Overrides only with a provider in force, because any other is refused. */
function override(id: BackendId | undefined, life: Life): void {
  const isKnown = id === undefined || life.inForce.some(({ descriptor }) => descriptor.id === id);
  if (!life.isUp || !isKnown) return;
  life.service.override(id);
  life.pinned = id;
}

function admit({ service, admissions, clock }: Life, signal: AbortSignal): void {
  const { placement, topology } = service;
  if (placement === undefined) return;
  const { snapshotSeqNo: seqNo } = topology.state;
  const status = admissionStatusOf(topology.state);
  const record: AdmissionRecord = {
    seqNo,
    signal,
    atMs: clock.monotonic(),
    statuses: new Set([status]),
    outcome: "pending",
  };
  admissions.push(record);
  const unsubscribe = topology.onEvent(() => record.statuses.add(admissionStatusOf(topology.state)));
  void follow(record, placement.admit({ signal })).finally(unsubscribe);
}

async function follow(record: AdmissionRecord, admission: Promise<Admission>): Promise<void> {
  try {
    record.admission = await admission;
    record.outcome = "admitted";
  } catch (error) {
    record.error = error;
    record.outcome = "refused";
  }
}

/** Publishes leases for the tick that Placement received last, `world.ports.placement.newestTick`. */
function publishLeases(back: number, world: World): void {
  const { life, ports, observers } = world;
  const { placement } = life.service;
  const tick = ports.placement.newestTick;
  if (placement === undefined || tick === undefined || tick.life !== life) return;
  const seqNo = tick.seqNo - back;
  const leases = [{ resource: `own of ${seqNo} at ${world.nextMoment()}`, nodeId: "a" }];
  const offer: LeaseOffer = { seqNo, leases, outcome: "pending" };
  for (const observer of observers) observer.leasesOffered?.(offer, life);
  placement.publishLeases(leases, { seqNo }).then(
    () => (offer.outcome = "published"),
    (error: unknown) => {
      offer.outcome = "refused";
      offer.error = error;
    },
  );
}

function createAbort(afterMs: number | undefined, { clock }: World): AbortSignal {
  const controller = new AbortController();
  if (afterMs === 0) controller.abort();
  else if (afterMs !== undefined) clock.schedule(afterMs, () => controller.abort());
  return controller.signal;
}
