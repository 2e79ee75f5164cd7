import { ProvisioningError, type LogPosition, type TopologyName } from "@holdfast/core";

/** The id of an event on the stream of one topology. */
export function formatPosition({ epoch, seqNo }: LogPosition): string {
  return `${epoch}:${seqNo}`;
}

/** The id of an event on a stream of several topologies. */
export function formatNamedPosition(name: TopologyName, { epoch, seqNo }: LogPosition): string {
  return `${name}@${epoch}/${seqNo}`;
}

/** Parses `epoch:seqNo`. Returns `undefined` for an absent or empty text. Throws `VALIDATION_MALFORMED`. */
export function parsePosition(text: string | undefined): LogPosition | undefined {
  if (text === undefined || text === "") return undefined;
  const at = text.indexOf(":");
  const position = at < 0 ? undefined : toPosition(text.slice(0, at), text.slice(at + 1));
  if (position !== undefined) return position;
  throw new ProvisioningError(
    "VALIDATION_MALFORMED",
    'the last event id must have the form "epoch:seqNo", for example "mb3k2x9qf-0a1b2:17"',
  );
}

const EPOCH = /^[A-Za-z0-9._-]{1,64}$/;
const SEQ_NO = /^(?:0|[1-9]\d{0,15})$/;

/** Returns `undefined` when one of the texts has another form. */
export function toPosition(epoch: string, digits: string): LogPosition | undefined {
  const seqNo = Number(digits);
  const isValid = EPOCH.test(epoch) && SEQ_NO.test(digits) && Number.isSafeInteger(seqNo);
  return isValid ? { epoch, seqNo } : undefined;
}
