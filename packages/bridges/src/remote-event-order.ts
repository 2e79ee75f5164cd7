import type { RemoteEventKind } from "@holdfast/core";

/** The order in which the events of one node come within one `seqNo`. */
export const REMOTE_EVENT_ORDER: Readonly<Record<RemoteEventKind, number>> = {
  leave: 0,
  join: 1,
  blocked: 2,
  unblocked: 3,
};
