import type { RemoteEventKind } from "@holdfast/core";

/** The order of the events of one node within one `seqNo`. */
export const REMOTE_EVENT_ORDER: Readonly<Record<RemoteEventKind, number>> = {
  leave: 0,
  join: 1,
  blocked: 2,
  unblocked: 3,
};
