import type { Life } from "../world/life.ts";
import { SNAPSHOT_PATH } from "../world/sim-files.ts";
import { isRestored, type LoadRecord } from "../world/snapshot-record.ts";
import { isSameContent } from "./is-same-content.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const EPSILON_MS = 0.001;

/**
 * The last known good snapshot is served from the start until a provider delivers or it expires, if and only if it is
 * intact, has members, and was confirmed recently by a configured source; otherwise there is a warning. It is replaced
 * by the first delivered snapshot (unless that causes a held mass removal), and the topology is `unavailable` when it
 * has expired.
 */
export class KnownGoodServed implements Invariant {
  readonly name = "known-good-served";
  readonly requirements = "R2.4 R5.3";
  readonly #context: InvariantContext;
  #isChecked = false;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#isChecked = false;
  }

  loaded(record: LoadRecord): void {
    const { report, world } = this.#context;
    const filed = world.files.snapshot;
    const isThere = world.files.files.has(SNAPSHOT_PATH);
    if (record.isDamaged && (filed !== undefined || !isThere)) report("an intact file is treated as damaged");
    if (record.isDamaged && world.files.tampers === 0) report("a save or a crash has left a damaged file");
    const { known } = record;
    if (known === undefined) return;
    const isSame =
      filed?.confirmedAt === known.confirmedAt &&
      filed.source === known.source &&
      isSameContent(filed.members, known.snapshot.members);
    if (!isSame) report("the loaded content differs from the file");
  }

  instantDone(life: Life): void {
    this.stepDone(life);
  }

  stepDone(life: Life): void {
    const { report } = this.#context;
    const { snapshot, status, holds } = life.service.topology.state;
    const due = this.#context.knownGood.due(life);
    this.#checkStart(life);
    const isHeld = holds.some(({ guard }) => guard === "last_known_good");
    if (due === undefined) {
      if (isHeld || isRestored(snapshot)) report("a snapshot of the disk is served that must not be served");
      return;
    }
    const leftMs = due.expiresAt - this.#context.world.clock.monotonic();
    if (isHeld && leftMs < -EPSILON_MS) report(`a snapshot of the disk is served ${-leftMs} ms too long`);
    if (isHeld && life.active?.delivering !== undefined)
      report("a snapshot of the disk is served although the active provider has delivered");
    if (!isRestored(snapshot) || snapshot === undefined) return;
    if (!isSameContent(snapshot.members, due.known.snapshot.members))
      report("the content served from the disk differs from the file");
    if (leftMs < -EPSILON_MS && status !== "unavailable")
      report(`a snapshot of the disk has expired, but the topology is ${status}`);
  }

  #checkStart(life: Life): void {
    if (this.#isChecked || life.upAt === undefined) return;
    this.#isChecked = true;
    const { report } = this.#context;
    if (this.#context.knownGood.due(life) !== undefined && !this.#context.knownGood.hasBegun)
      report("there is a valid last known good snapshot, but it is not served");
    const fault = this.#context.knownGood.faultOf(life);
    if (fault !== undefined && !life.warnings.some(({ code }) => code === fault))
      report(`there is no warning that the snapshot of the disk is not served: ${fault}`);
  }
}
