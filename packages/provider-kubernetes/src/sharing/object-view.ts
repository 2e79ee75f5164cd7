import type { SliceOptions } from "@holdfast/core";
import type { ObjectChange } from "./object-change.ts";

/**
 * What one user of a shared watch makes of the objects of one group. A user has a view of its own. The calls are made one after the
 * other; an error that a call throws is an error of this user alone.
 */
export interface ObjectView {
  readonly group: string;
  /** Takes a change of a list that is not complete. It takes effect with `sync`. */
  prepare(change: ObjectChange): void;
  /** Takes a change that is in effect. `now` is in milliseconds of the monotonic clock. */
  apply(change: ObjectChange, now: number): void;
  /** Makes the view equal to these objects. */
  sync(objects: Iterable<readonly [key: string, text: string]>, timing: SliceOptions): Promise<void>;
  /** When `settle` must be called, in milliseconds of the monotonic clock; undefined when it need not be called. */
  readonly settlesAt: number | undefined;
  /** Applies the parts of changes that take effect later. */
  settle(now: number): void;
}
