import {
  DEFAULT_TOPOLOGY,
  refusalOf,
  type Reason,
  type TopologyName,
  type TopologyStatus,
} from "@holdfast/core";
import { LongList, type JsonDocument } from "../../output/json-pieces.ts";
import type { ServerDirectory } from "../server-directory.ts";
import { MAX_LISTED_NOT_READY } from "../server-limits.ts";

/** All topologies, without their members; sorted by name. */
export function toTopologiesDocument(directory: ServerDirectory): JsonDocument {
  return { topologies: new LongList(toSummaries(directory)) };
}

function* toSummaries(directory: ServerDirectory): Generator<JsonDocument, void> {
  for (const name of directory.names()) {
    const view = directory.find(name);
    // It may have disappeared since the list began.
    if (view === undefined) continue;
    const { status, statusReason: reason, isStale, epoch, seqNo, snapshot } = view.log.state;
    yield {
      name,
      status,
      reason,
      isStale,
      isRequired: view.isRequired,
      memberCount: snapshot?.members.size ?? 0,
      activeProvider: view.providers().find(({ isActive }) => isActive)?.providerId ?? null,
      hash: snapshot?.hash ?? null,
      epoch,
      seqNo,
    };
  }
}

interface NotReady {
  readonly name: TopologyName;
  readonly isRequired: boolean;
  readonly status: TopologyStatus;
  readonly reason: string;
  readonly cause?: Reason | undefined;
}

export interface Readiness {
  /** True when every required topology may be used, and no further ones are still to be discovered. */
  readonly isReady: boolean;
  readonly document: object;
}

/**
 * Whether the required topologies may be used. The document has the status of the default topology, if there is one, and the topologies
 * that are not ready: the required ones first, up to a limit.
 */
export function toReadiness(directory: ServerDirectory): Readiness {
  const notReady: NotReady[] = [];
  for (const name of directory.names()) {
    const view = directory.find(name);
    if (view === undefined) continue;
    const { state } = view.log;
    if (refusalOf(state) === undefined) continue;
    const { status, statusReason: reason, statusCause: cause } = state;
    notReady.push({ name, isRequired: view.isRequired, status, reason, cause });
  }
  const isComplete = directory.isComplete();
  const isReady = isComplete && !notReady.some(({ isRequired }) => isRequired);
  const listed = [
    ...notReady.filter(({ isRequired }) => isRequired),
    ...notReady.filter(({ isRequired }) => !isRequired),
  ].slice(0, MAX_LISTED_NOT_READY);
  const { state } = directory.find(DEFAULT_TOPOLOGY)?.log ?? {};
  return {
    isReady,
    document: {
      status: state?.status,
      reason: state?.statusReason,
      cause: state?.statusCause,
      isReady,
      isComplete,
      notReadyCount: notReady.length,
      notReady: listed,
    },
  };
}
