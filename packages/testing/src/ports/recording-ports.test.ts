import {
  createClusterNode,
  createSnapshot,
  diffSnapshots,
  MemberSet,
  type TopologyNotice,
  type RemoteTopologyEvent,
  type SnapshotTick,
} from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { CallJournal } from "./call-journal.ts";
import { RecordingPartition } from "./recording-partition.ts";
import { RecordingPlacement } from "./recording-placement.ts";
import { RecordingRemoting } from "./recording-remoting.ts";
import { VirtualClock } from "../virtual-clock.ts";

const { signal } = new AbortController();
const node = createClusterNode({ id: "a", host: "10.0.0.1", port: 1 });
const snapshot = createSnapshot({ providerId: "memory", members: MemberSet.from([node]), observedAt: 0 });

function tickOf(seqNo: number): SnapshotTick {
  return { epoch: "e", seqNo, snapshot, delta: diffSnapshots(snapshot, snapshot), status: "ready" };
}

const notice: TopologyNotice = {
  kind: "status_changed",
  epoch: "e",
  seqNo: 2,
  at: 0,
  from: "starting",
  to: "ready",
  isStale: false,
  reason: "a snapshot arrived",
};

const joined: RemoteTopologyEvent = {
  key: "e/1/a/join",
  kind: "join",
  providerId: "memory",
  node,
  epoch: "e",
  seqNo: 1,
  snapshotHash: snapshot.hash,
  at: 0,
};

describe("the recording ports", () => {
  test("record their calls in one journal, in the order in which they began", async () => {
    const journal = new CallJournal();
    const leases = [{ resource: "shard-1", nodeId: "a" }];
    const placement = new RecordingPlacement({ journal, leases: () => leases });
    const partition = new RecordingPartition({ journal });
    const remoting = new RecordingRemoting({ journal });
    await partition.applySnapshot(tickOf(1), { signal });
    expect(await placement.applySnapshot(tickOf(1), { signal })).toBe(leases);
    await partition.publishLeases({ epoch: "e", seqNo: 1, snapshotHash: snapshot.hash, leases }, { signal });
    await remoting.applyEvents([joined], { signal });
    await placement.notify(notice, { signal });
    expect(journal.lines()).toEqual([
      "partition.applySnapshot 1",
      "placement.applySnapshot 1",
      "partition.publishLeases 1",
      "remoting.applyEvents 1 join a",
      "placement.notify 2 status_changed ready",
    ]);
    expect([placement.ticks.length, partition.ticks.length, partition.leases.length]).toEqual([1, 1, 1]);
    expect([remoting.events, placement.notices, partition.notices]).toEqual([[joined], [notice], []]);
  });

  test("fail the requested number of times, and then acknowledge again", async () => {
    const placement = new RecordingPlacement();
    placement.failNext(2, new Error("busy"));
    await expect(placement.applySnapshot(tickOf(1), { signal })).rejects.toThrow("busy");
    await expect(placement.notify(notice, { signal })).rejects.toThrow("busy");
    expect(await placement.applySnapshot(tickOf(3), { signal })).toBeUndefined();
    expect(placement.ticks.map(({ seqNo }) => seqNo)).toEqual([3]);
    expect(placement.journal.lines()).toEqual([
      "placement.applySnapshot 1 (failed)",
      "placement.notify 2 status_changed ready (failed)",
      "placement.applySnapshot 3",
    ]);
  });

  test("wait while they are held, and abort only with heedsSignal", async () => {
    const clock = new VirtualClock();
    const partition = new RecordingPartition();
    const controller = new AbortController();
    const release = partition.hold();
    const hanging = partition.applySnapshot(tickOf(1), { signal: controller.signal });
    controller.abort();
    await clock.settle();
    expect(partition.calls[0]?.outcome).toBe("pending");
    release();
    await hanging;
    await partition.applySnapshot(tickOf(2), { signal });

    const releaseNext = partition.hold({ heedsSignal: true });
    const hearing = partition.applySnapshot(tickOf(3), { signal: controller.signal });
    await expect(hearing).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    releaseNext();
    await partition.applySnapshot(tickOf(4), { signal: controller.signal });
    expect(partition.ticks.map(({ seqNo }) => seqNo)).toEqual([1, 2, 4]);
  });
});
