import type { TopologyState } from "@holdfast/core";
import { expect, test } from "vitest";
import type { ServerView } from "./server-view.ts";
import { toTopologyDocument } from "./topology-document.ts";

// R5.5
test("has the cause of the status, and of each provider's health, with message and details", () => {
  const cause = {
    code: "STREAM_SILENT",
    message: "no sign of life for 15000 ms",
    details: { timeoutMs: 15_000 },
  } as const;
  const state: TopologyState = {
    epoch: "e",
    seqNo: 3,
    status: "unavailable",
    statusReason: "no provider can serve: primary (STREAM_SILENT); primary: no sign of life for 15000 ms",
    statusCause: cause,
    snapshotSeqNo: 0,
    restoringNodes: [],
    isStale: false,
    holds: [],
  };
  const provider = {
    providerId: "primary",
    kind: "memory",
    priority: 1,
    health: "unreachable",
    isActive: true,
    errors: 1,
    reason: cause,
  } as const;
  const view: Pick<ServerView, "providers" | "remoteNodes"> = {
    providers: () => [provider],
    remoteNodes: () => [],
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the document reads nothing else of the view
  const document = toTopologyDocument(view as ServerView, state);
  expect(document).toMatchObject({
    status: "unavailable",
    reason: state.statusReason,
    cause,
    providers: [{ reason: cause }],
  });
});
