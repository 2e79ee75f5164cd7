import { createClusterNode, createSnapshot, diffSnapshots, MemberSet } from "@holdfast/core";
import { expect, test } from "vitest";
import { toEventDocument } from "./event-document.ts";

const members = MemberSet.from([createClusterNode({ id: "a", host: "a.local", port: 80 })]);
const snapshot = createSnapshot({ providerId: "primary", members, observedAt: 1 });
const delta = diffSnapshots({ members: MemberSet.empty, blockedNodes: [] }, snapshot);
const tick = { epoch: "e", seqNo: 1, at: 2 } as const;

// R2.3
test("the first snapshot has the previousHash null, also in JSON", () => {
  const document = toEventDocument({ ...tick, kind: "snapshot", snapshot, delta });
  expect(document).toMatchObject({ kind: "snapshot", hash: snapshot.hash, previousHash: null });
});

// R5.5
test("a failure has its message and details", () => {
  const reason = {
    code: "CONNECTIVITY_UNAVAILABLE",
    message: "10.0.0.1:8500 responded with 503",
    details: { address: "10.0.0.1:8500", status: 503 },
  } as const;
  const base = { ...tick, providerId: "primary" } as const;
  const health = { ...base, kind: "health_changed", from: "healthy", to: "degraded", reason } as const;
  expect(toEventDocument(health)).toEqual(health);
  const ended = { ...base, kind: "stream_terminated", reason: { kind: "errored", ...reason } } as const;
  expect(toEventDocument(ended)).toEqual(ended);
});
