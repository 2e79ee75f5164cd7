import { isProvisioningError, type ErrorCode, type TopologyStatus } from "@holdfast/core";
import { admissionStatusOf, type AdmissionRecord } from "../world/admission-record.ts";
import type { Life } from "../world/life.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const REFUSALS: Readonly<Partial<Record<TopologyStatus, ErrorCode>>> = {
  starting: "TOPOLOGY_NO_SNAPSHOT",
  empty: "TOPOLOGY_EMPTY",
  unavailable: "TOPOLOGY_UNAVAILABLE",
  draining: "LIFECYCLE_SHUTTING_DOWN",
  stopped: "LIFECYCLE_STOPPED",
};

/**
 * A placement request is admitted once ownership was computed from the newest snapshot at the time of the request, or
 * refused with the correct reason. It never waits longer than necessary and is never forgotten. `newest()` follows the
 * same rule.
 */
export class AdmissionRule implements Invariant {
  readonly name = "admission";
  readonly requirements = "R2.4 R3.1 R3.2 R3.6 R5.3";
  readonly #context: InvariantContext;
  /** The ticks that Placement acknowledged: seqNo to hash. */
  readonly #ticks = new Map<number, string>();
  #newestTick = 0;
  #checked = 0;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#ticks.clear();
    this.#newestTick = this.#checked = 0;
  }

  callEnded({ call, seqNo, outcome }: PortRecord): void {
    if (call.port !== "placement" || call.method !== "applySnapshot" || outcome !== "done") return;
    this.#ticks.set(seqNo, call.tick.snapshot.hash);
    this.#newestTick = seqNo;
  }

  stepDone(life: Life): void {
    this.#checkAdmissions(life);
    this.#checkNewest(life);
  }

  lifeStopped(life: Life): void {
    this.#checkAdmissions(life);
    const waiting = life.admissions.some(({ outcome }) => outcome === "pending");
    if (waiting) this.#context.report("everything has stopped, but a request still waits");
    const code = codeOf(() => life.service.partition?.newest());
    if (code !== "LIFECYCLE_STOPPED") this.#context.report(`newest() after the end fails with ${code}`);
  }

  #checkAdmissions({ admissions, service }: Life): void {
    const { report } = this.#context;
    const status = admissionStatusOf(service.topology.state);
    let isFirstPending = true;
    for (const [index, record] of admissions.entries()) {
      if (index < this.#checked) continue;
      if (record.outcome === "pending") {
        isFirstPending = false;
        if (record.signal.aborted) report("a request was aborted, but still waits");
        if (this.#waitedMs(record) > this.#limitMs) report("a request waits longer than allowed");
        if (REFUSALS[status] !== undefined) report(`the topology is ${status}, but a request still waits`);
        if (this.#newestTick >= record.seqNo)
          report(`a request waits for tick ${record.seqNo}, which Placement has acknowledged`);
        continue;
      }
      if (isFirstPending) this.#checked = index + 1;
      const wrong = record.outcome === "admitted" ? this.#faultOfGrant(record) : this.#faultOfRefusal(record);
      if (wrong !== undefined) report(wrong);
    }
  }

  get #limitMs(): number {
    return 3 * this.#context.world.setting.callTimeoutMs;
  }

  #waitedMs({ atMs }: AdmissionRecord): number {
    return this.#context.world.clock.monotonic() - atMs;
  }

  #faultOfRefusal(record: AdmissionRecord): string | undefined {
    const isLate = isProvisioningError(record.error) && record.error.code === "LIFECYCLE_CONSUMER_BEHIND";
    if (!isLate) return faultOfRefusal(record);
    return this.#waitedMs(record) < this.#limitMs ? "a request was refused before its deadline" : undefined;
  }

  #faultOfGrant({ admission, seqNo }: AdmissionRecord): string | undefined {
    if (admission === undefined) return "a request was admitted without a result";
    if (admission.seqNo < seqNo)
      return `a request of ${seqNo} was admitted with the older ${admission.seqNo}`;
    return this.#ticks.get(admission.seqNo) === admission.snapshotHash
      ? undefined
      : `a request was admitted with tick ${admission.seqNo}, which Placement has not acknowledged`;
  }

  #checkNewest({ service }: Life): void {
    const { partition, topology } = service;
    const { state } = topology;
    for (const source of [partition, topology]) {
      const code = codeOf(() => source?.newest());
      const expected = REFUSALS[admissionStatusOf(state)] ?? "none";
      if (code !== expected)
        this.#context.report(`newest() fails with ${code} while the topology is ${state.status}`);
      if (code === "none" && source?.newest() !== state.snapshot)
        this.#context.report("newest() is not the newest snapshot");
    }
  }
}

function faultOfRefusal({ error, statuses, signal }: AdmissionRecord): string | undefined {
  if (!isProvisioningError(error)) return `a request was refused with ${String(error)}`;
  if (error.code === "LIFECYCLE_ABORTED" && signal.aborted) return undefined;
  const isRight = [...statuses].some((status) => REFUSALS[status] === error.code);
  // A drained lane stops before the topology reports it.
  const isOver = error.code === "LIFECYCLE_STOPPED" && statuses.has("draining");
  return isRight || isOver
    ? undefined
    : `a request was refused with ${error.code} while it was ${[...statuses].join()}`;
}

function codeOf(read: () => unknown): string {
  try {
    read();
    return "none";
  } catch (error) {
    return isProvisioningError(error) ? error.code : String(error);
  }
}
