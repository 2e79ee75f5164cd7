import { TOPOLOGY_STATUSES, type Clock, type GuardKind, type TopologyState } from "@holdfast/core";
import type { TopologyMetricGroup } from "./metric-group.ts";
import { setOneHot } from "./set-one-hot.ts";
import type { GaugeSeries } from "./topology-series.ts";

const GUARDS: readonly GuardKind[] = ["last_known_good", "removal_dwell", "mass_removal"];

/** The current state of the topology, read at each scrape. */
export class StateMetrics {
  readonly #epoch: GaugeSeries<"epoch">;
  readonly #seqNo: GaugeSeries;
  readonly #status: GaugeSeries<"status">;
  readonly #members: GaugeSeries;
  readonly #blocked: GaugeSeries;
  readonly #restoring: GaugeSeries;
  readonly #skipped: GaugeSeries;
  readonly #snapshotSeqNo: GaugeSeries;
  readonly #age: GaugeSeries;
  readonly #stale: GaugeSeries;
  readonly #held: GaugeSeries<"guard">;

  constructor(group: TopologyMetricGroup) {
    this.#epoch = group.collected({
      name: "epoch_info",
      help: "The run of the service that all sequence numbers belong to; always 1.",
      labels: ["epoch"],
    });
    this.#seqNo = group.collected({
      name: "last_seqno",
      help: "Sequence number of the last event in the ordered log; 0 before the first.",
    });
    this.#status = group.collected({
      name: "status",
      help: "Status of the topology: 1 for the current status, 0 for the others.",
      labels: ["status"],
    });
    this.#members = group.collected({ name: "members", help: "Members of the newest snapshot." });
    this.#blocked = group.collected({
      name: "blocked_nodes",
      help: "Members that Remoting isolated, including those being restored.",
    });
    this.#restoring = group.collected({
      name: "restoring_nodes",
      help: "Blocked nodes that Remoting restored, waiting for the next good refresh.",
    });
    this.#skipped = group.collected({
      name: "skipped_entries",
      help: "Entries in the response of the newest snapshot that could not be read and were left out.",
    });
    this.#snapshotSeqNo = group.collected({
      name: "snapshot_seqno",
      help: "Sequence number of the event with the newest snapshot; 0 before the first.",
    });
    this.#age = group.collected({
      name: "snapshot_age_seconds",
      help: "Time since the response of the newest snapshot was read; absent before the first.",
    });
    this.#stale = group.collected({
      name: "snapshot_stale",
      help: "1 while the newest snapshot is not known to be current, else 0.",
    });
    this.#held = group.collected({
      name: "guard_held_members",
      help: "Members that a guard keeps although the provider does not list them, counted when it began.",
      labels: ["guard"],
    });
  }

  collect(state: TopologyState, clock: Clock): void {
    const { snapshot } = state;
    this.#epoch.reset();
    this.#epoch.set({ epoch: state.epoch }, 1);
    this.#seqNo.set({}, state.seqNo);
    setOneHot(this.#status, TOPOLOGY_STATUSES, state.status, (status) => ({ status }));
    this.#members.set({}, snapshot?.members.size ?? 0);
    this.#blocked.set({}, snapshot?.blockedNodes.length ?? 0);
    this.#restoring.set({}, state.restoringNodes.length);
    this.#skipped.set({}, snapshot?.skipped?.count ?? 0);
    this.#snapshotSeqNo.set({}, state.snapshotSeqNo);
    this.#stale.set({}, state.isStale ? 1 : 0);
    for (const guard of GUARDS) {
      this.#held.set({ guard }, state.holds.find((hold) => hold.guard === guard)?.nodes ?? 0);
    }
    if (snapshot === undefined) this.#age.reset();
    else this.#age.set({}, Math.max(clock.now() - snapshot.observedAt, 0) / 1_000);
  }
}
