import type { GuardHold } from "@holdfast/core";

/** What a guard holds, with monotonic milliseconds for its end. */
export interface Hold extends Omit<GuardHold, "until"> {
  readonly endsAt: number;
}
