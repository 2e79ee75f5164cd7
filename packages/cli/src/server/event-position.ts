import { ProvisioningError, type LogPosition } from "@holdfast/core";

export function formatPosition(position: LogPosition): string {
  return `${position.epoch}:${position.seqNo}`;
}

const POSITION = /^([A-Za-z0-9._-]{1,64}):(0|[1-9]\d{0,15})$/;

/** Parses `epoch:seqNo`. Returns `undefined` for an absent or empty text. Throws `VALIDATION_MALFORMED`. */
export function parsePosition(text: string | undefined): LogPosition | undefined {
  if (text === undefined || text === "") return undefined;
  const [, epoch, digits] = POSITION.exec(text) ?? [];
  const seqNo = Number(digits);
  if (epoch !== undefined && Number.isSafeInteger(seqNo)) return { epoch, seqNo };
  throw new ProvisioningError(
    "VALIDATION_MALFORMED",
    'the last event id must have the form "epoch:seqNo", for example "mb3k2x9qf-0a1b2:17"',
  );
}
