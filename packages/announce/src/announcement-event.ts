import type { Reason } from "@holdfast/core";

/**
 * `registering`: not listed yet. `registered`: the backend lists this process. `lost`: it was registered, and the backend
 * has lost the entry or has not confirmed it within its time to live; it is being registered again. `draining`: it gets no
 * new work. `left`: it is over.
 */
export type AnnouncementStatus = "registering" | "registered" | "lost" | "draining" | "left";

export interface AnnouncementState {
  readonly status: AnnouncementStatus;
  /** Wall-clock milliseconds at which the status began. */
  readonly since: number;
  /**
   * Why it is `lost`, or the last failure since the status began. With `left`: why the backend did not confirm that the
   * entry was removed. Absent when nothing failed.
   */
  readonly reason?: Reason | undefined;
}

/** What happened to an announcement. */
export type AnnouncementEvent =
  | {
      readonly type: "registered";
      /** True when it had been registered before and was lost. */
      readonly isAgain: boolean;
    }
  | { readonly type: "lost"; readonly reason: Reason }
  /** A call to the backend failed, and is repeated. */
  | {
      readonly type: "failed";
      readonly reason: Reason;
      /** Milliseconds until the call is repeated. */
      readonly retryInMs: number;
    }
  /** The drain has begun. The backend may not have confirmed it yet. */
  | { readonly type: "draining" }
  | {
      readonly type: "left";
      /** Why the backend did not confirm that the entry was removed. Absent when it did. */
      readonly reason?: Reason | undefined;
    };
