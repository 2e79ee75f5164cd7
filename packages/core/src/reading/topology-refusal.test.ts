import { expect, test } from "vitest";
import type { TopologyStatus } from "../contracts/log/topology-state.ts";
import { refusalOf } from "./topology-refusal.ts";

test.each<[TopologyStatus, string | undefined]>([
  ["starting", "TOPOLOGY_NO_SNAPSHOT"],
  ["ready", undefined],
  ["degraded", undefined],
  ["empty", "TOPOLOGY_EMPTY"],
  ["unavailable", "TOPOLOGY_UNAVAILABLE"],
  ["draining", "LIFECYCLE_SHUTTING_DOWN"],
  ["stopped", "LIFECYCLE_STOPPED"],
])("while %s new work is refused with %s and the reason", (status, code) => {
  const refusal = refusalOf({
    epoch: "e",
    seqNo: 1,
    status,
    statusReason: "no provider responded",
    snapshotSeqNo: 0,
    restoringNodes: [],
    isStale: false,
    holds: [],
  });
  // R5.5
  expect(refusal?.code).toBe(code);
  if (code !== undefined) {
    expect(refusal?.message).toBe(`[${code}] the topology is ${status}: no provider responded`);
    expect(refusal?.details).toEqual({ status });
  }
});
