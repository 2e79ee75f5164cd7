import { ProvisioningError, type Epoch } from "@holdfast/core";

export interface SequencePoint {
  readonly epoch: Epoch;
  readonly seqNo: number;
}

/** Accepts only newer points: a later epoch, or a larger `seqNo` within the same epoch. */
export class SequenceGuard {
  #last: SequencePoint | undefined;

  /** `last` is the point to continue from. Without it every point is new. */
  constructor(last?: SequencePoint) {
    this.#last = last === undefined ? undefined : { epoch: last.epoch, seqNo: last.seqNo };
  }

  get last(): SequencePoint | undefined {
    return this.#last;
  }

  /** Throws `ORDER_STALE_SEQUENCE` with both numbers unless the point is newer than the last one accepted. */
  check(point: SequencePoint): void {
    const last = this.#last;
    if (last === undefined || point.epoch > last.epoch) return;
    if (point.epoch === last.epoch && point.seqNo > last.seqNo) return;
    throw new ProvisioningError(
      "ORDER_STALE_SEQUENCE",
      `seqNo ${point.seqNo} of epoch "${point.epoch}" is not newer than ${last.seqNo} of "${last.epoch}"`,
      {
        details: {
          received: point.seqNo,
          last: last.seqNo,
          receivedEpoch: point.epoch,
          lastEpoch: last.epoch,
        },
      },
    );
  }

  /** Checks the point and remembers it. If handling can fail, call `check` first and `accept` once it is done. */
  accept(point: SequencePoint): void {
    this.check(point);
    this.#last = { epoch: point.epoch, seqNo: point.seqNo };
  }
}
