import type { Mutant } from "./mutant.ts";

const LANE = "packages/bridges/src/lane.ts";
const OWNERSHIP = "packages/bridges/src/ownership-lane.ts";
const REMOTING = "packages/bridges/src/remoting-bridge.ts";
const PLACEMENT = "packages/bridges/src/placement-supervisor-bridge.ts";
const PUBLISH = "await this.partition.publishLeases({ epoch, seqNo, snapshotHash: snapshot.hash, leases });";

export const BRIDGE_MUTANTS: readonly Mutant[] = [
  {
    name: "lease-a-tick-late",
    says: "leases are published with the next tick",
    file: OWNERSHIP,
    find: PUBLISH,
    replace:
      'const late = Reflect.get(this.partition, "late");\n' +
      '    Reflect.set(this.partition, "late", { epoch, seqNo, snapshotHash: snapshot.hash, leases });\n' +
      "    if (late !== undefined) await this.partition.publishLeases(late);",
  },
  {
    name: "leases-not-awaited",
    says: "the next call does not wait for the leases to arrive",
    file: OWNERSHIP,
    find: PUBLISH,
    replace: PUBLISH.replace("await", "void"),
  },
  {
    name: "notices-overtake",
    says: "a notice is told before an older snapshot that waits",
    file: LANE,
    find: "if (snapshot === undefined || (notice !== undefined && notice.seqNo < snapshot.seqNo)) {",
    replace: "if (snapshot === undefined || notice !== undefined) {",
  },
  {
    name: "notice-dropped",
    says: "a notice that waits is replaced by the next one, as a snapshot is",
    file: LANE,
    find: "this.#notices.push(event);",
    replace: "this.#notices = [event];",
  },
  {
    name: "failed-call-not-retried",
    says: "a call of a port that failed is given up",
    file: "packages/bridges/src/port-caller.ts",
    find: "if (call.isOutdated?.() === true) {",
    replace: "if (attempt > 0) {",
  },
  {
    name: "stop-waits-for-port",
    says: "a port that never answers holds up the stop",
    file: "packages/bridges/src/port-caller.ts",
    find: "const value = await untilAborted(call.run({ signal }), signal);",
    replace: "const value = await call.run({ signal });",
  },
  {
    name: "unfinished-not-named",
    says: "a drain that ran out of time says that everything was told",
    file: LANE,
    find: "return { unfinished };",
    replace: "return { unfinished: [] };",
  },
  {
    name: "delta-from-the-log",
    says: "a port is given the log's delta although it has skipped snapshots",
    file: "packages/bridges/src/snapshot-tick.ts",
    find: "if (step !== undefined && step.from === acknowledged?.hash) return step.delta;",
    replace: "if (step !== undefined) return step.delta;",
  },
  {
    name: "joins-while-degraded",
    says: "channels are opened from stale data",
    file: REMOTING,
    find: 'if (this.#lane.status !== "ready") return () => true;',
    replace: 'if (this.#lane.status === "starting") return () => true;',
  },
  {
    name: "joins-retried-while-degraded",
    says: "a failed batch with joins is told again although the topology has become degraded",
    file: REMOTING,
    find: " || joins.map(({ node }) => node.id).some(this.#holdsJoin())",
    replace: "",
  },
  {
    name: "doubt-forgotten",
    says: "a batch that was given up counts as never arrived",
    file: REMOTING,
    find: "ledger.doubt(batch);",
    replace: "",
  },
  {
    name: "admitted-too-early",
    says: "a placement request is served from an older ownership",
    file: PLACEMENT,
    find: "acknowledged.seqNo >= waiting.seqNo",
    replace: "acknowledged.seqNo <= waiting.seqNo",
  },
  {
    name: "waiting-forgotten",
    says: "a placement request that waits is not looked at when the topology changes",
    file: OWNERSHIP,
    find: "onChange: () => this.placement?.reconsider(),",
    replace: "",
  },
];
