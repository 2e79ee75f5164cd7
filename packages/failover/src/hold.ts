import type { GuardHold } from "@holdfast/core";

/** A `GuardHold` whose end is in monotonic milliseconds. */
export interface Hold extends Omit<GuardHold, "until"> {
  readonly endsAt: number;
}
