import { includesSorted, type ProviderHealth, type RemoteNodeReport } from "@holdfast/core";
import { LongList, type JsonDocument } from "../../output/json-pieces.ts";
import type { ServerView } from "../server-view.ts";

/** The three states of monitoring (R4.5). */
export type MonitoredState = "up" | "down" | "degraded";

/** `idle` is a cold standby. It is not watched, so it is known to be neither up nor down. */
const STATE_OF: Readonly<Record<ProviderHealth, MonitoredState>> = {
  healthy: "up",
  idle: "degraded",
  connecting: "degraded",
  degraded: "degraded",
  unreachable: "down",
  disabled: "down",
};

/** The health of every configured provider, highest priority first. */
export function toProvidersDocument(view: ServerView): JsonDocument {
  const { epoch, seqNo } = view.log.state;
  const providers = view.providers().map((report) => ({
    ...report,
    state: STATE_OF[report.health],
    lastUpdateAt: report.lastUpdateAt ?? null,
  }));
  return { epoch, seqNo, providers };
}

/** The health of every remote node, as Remoting was informed of it. A node that has left is not listed. */
export function toNodesDocument(view: ServerView): JsonDocument {
  const { epoch, seqNo } = view.log.state;
  return { epoch, seqNo, nodes: new LongList(toNodeReports(view)) };
}

function* toNodeReports(view: ServerView): Generator<object, void> {
  const { restoringNodes } = view.log.state;
  for (const report of view.remoteNodes()) yield { ...report, reason: reasonOf(report, restoringNodes) };
}

interface NodeReason {
  /** A rule of `holdfast explain`. */
  readonly code: "blocked" | "restoring" | "stale";
  readonly message: string;
}

function reasonOf(report: RemoteNodeReport, restoringNodes: readonly string[]): NodeReason | undefined {
  if (report.state === "up") return undefined;
  if (report.state === "down") {
    return { code: "blocked", message: "Remoting isolated the node and has not restored it" };
  }
  if (includesSorted(restoringNodes, report.nodeId)) {
    return {
      code: "restoring",
      message: "Remoting restored the node; the block is lifted at the next good refresh",
    };
  }
  return { code: "stale", message: "the Join of the node is held back until the topology is current again" };
}
