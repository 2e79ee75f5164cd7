import type { Life } from "../world/life.ts";
import { SNAPSHOT_PATH } from "../world/sim-files.ts";
import { isRestored, type LoadRecord } from "../world/snapshot-record.ts";
import { isSameContent } from "./is-same-content.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const EPSILON_MS = 0.001;

/**
 * The last known good snapshot is served from the start until a provider answers or it expires, if and only if it is whole, has
 * members, and was confirmed recently by a source that is configured; what is not served is a warning. It is gone with the
 * first answer (unless a held mass removal is measured by it), and `unavailable` when it has expired.
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
    if (record.isDamaged && (filed !== undefined || !isThere))
      report("a whole file passes for a damaged one");
    if (record.isDamaged && world.files.tampers === 0) report("a save or a crash has left a damaged file");
    const { known } = record;
    if (known === undefined) return;
    const isSame =
      filed?.confirmedAt === known.confirmedAt &&
      filed.source === known.source &&
      isSameContent(filed.members, known.snapshot.members);
    if (!isSame) report("what is loaded is not what the file has");
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
      if (isHeld || isRestored(snapshot)) report("a snapshot of the disk is served that must not be");
      return;
    }
    const leftMs = due.expiresAt - this.#context.world.clock.monotonic();
    if (isHeld && leftMs < -EPSILON_MS) report(`a snapshot of the disk is served ${-leftMs} ms too long`);
    if (isHeld && life.active?.delivering !== undefined)
      report("a snapshot of the disk is served though the active provider has answered");
    if (!isRestored(snapshot) || snapshot === undefined) return;
    if (!isSameContent(snapshot.members, due.known.snapshot.members))
      report("what is served from the disk is not what was there");
    if (leftMs < -EPSILON_MS && status !== "unavailable")
      report(`a snapshot of the disk has expired, and the topology is ${status}`);
  }

  #checkStart(life: Life): void {
    if (this.#isChecked || life.upAt === undefined) return;
    this.#isChecked = true;
    const { report } = this.#context;
    if (this.#context.knownGood.due(life) !== undefined && !this.#context.knownGood.hasBegun)
      report("there is a last known good snapshot, and it is not served");
    const fault = this.#context.knownGood.faultOf(life);
    if (fault !== undefined && !life.warnings.some(({ code }) => code === fault))
      report(`nobody is warned that the snapshot of the disk is not served: ${fault}`);
  }
}
