import type { Reason } from "../../errors/reason.ts";

export interface RegistrationCallOptions {
  /** Aborts the call. A deadline comes with it, so a call has none of its own. */
  readonly signal: AbortSignal;
}

/**
 * The entry of this process in a backend. It only makes the calls: when to beat, when to repeat a call and how long to
 * wait is decided by `announce`. Calls are made one after another, never two at a time. A call rejects with a
 * `ProvisioningError`, or with the reason of its signal. A call that was aborted may still take effect, but not after a
 * later call has resolved. After disposal every call rejects with `LIFECYCLE_STOPPED`.
 *
 * Disposal releases connections, files and timers. It does not remove the entry: `leave` does.
 */
export interface Registration extends AsyncDisposable {
  /**
   * How often `beat` must be called while the entry exists, in milliseconds. Absent when the backend finds out by itself
   * whether this process lives, and never loses the entry.
   */
  readonly beatMs?: number | undefined;
  /**
   * After this many milliseconds without a successful `register` or `beat`, the backend no longer lists the member.
   * Absent when the backend finds out by itself whether this process lives.
   */
  readonly ttlMs?: number | undefined;

  /**
   * Makes the backend list the member; it is listed once the call resolves, or once the backend's own check of this process
   * has passed. Replaces or repairs an entry of this process
   * that exists already, also one that an earlier process with the same id left behind, and ends a drain. Rejects with
   * `VALIDATION_DUPLICATE_ID` when the entry belongs to another process that still lives; a backend that cannot tell
   * replaces the entry.
   */
  register(options: RegistrationCallOptions): Promise<void>;
  /**
   * Confirms that this process lives, and that the backend still has the entry. Rejects with
   * `LIFECYCLE_REGISTRATION_LOST` when it does not have it any more. A beat never ends a drain.
   */
  beat(options: RegistrationCallOptions): Promise<void>;
  /** Makes the backend stop listing the member for new work, while this process still finishes its present work. */
  drain(options: RegistrationCallOptions): Promise<void>;
  /** Removes the entry. Resolves also when there is none. The entry of another process is not removed. */
  leave(options: RegistrationCallOptions): Promise<void>;

  /** Lists the settings that weaken security, without I/O. Omit it if there cannot be any. */
  audit?(): readonly Reason[];
}
