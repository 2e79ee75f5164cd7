import type { TopologyState } from "@holdfast/core";
import { expect, test } from "vitest";
import { serveHub } from "../../../test/served-hub.ts";
import type { ServerView } from "../server-view.ts";
import { DocumentPool } from "../sending/document-pool.ts";
import { TopologyDocuments } from "./topology-documents.ts";

// R5.5
test("has the cause of the status, and of each provider's health, with message and details", async () => {
  const cause = {
    code: "STREAM_SILENT",
    message: "nothing received for 15000 ms",
    details: { timeoutMs: 15_000 },
  } as const;
  const state: TopologyState = {
    epoch: "e",
    seqNo: 3,
    status: "unavailable",
    statusReason: "no provider can serve: primary (STREAM_SILENT); primary: nothing received for 15000 ms",
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
  await using served = await serveHub();
  const log = { state, onEvent: () => () => {}, eventsSince: () => [] };
  const view: ServerView = { ...served.view, log, providers: () => [provider] };
  const { clock } = served;
  const pool = new DocumentPool({ clock, maxBytes: 1_000 });
  const documents = new TopologyDocuments({ name: "default", view, instance: "i", pool, clock });
  const { document } = await documents.current({ isDeflated: false });
  const text = Buffer.concat(document.parts.map(({ plain }) => plain.body)).toString();
  expect(JSON.parse(text)).toMatchObject({
    status: "unavailable",
    reason: state.statusReason,
    cause,
    providers: [{ reason: cause }],
    members: [],
  });
});
