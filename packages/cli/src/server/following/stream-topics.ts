import { isTopologyName, ProvisioningError, type LogPosition, type TopologyName } from "@holdfast/core";
import { toPosition } from "../event-position.ts";

/** What the client of a stream asks for, of one topology. */
export interface StreamTopic {
  readonly name: TopologyName;
  /** The last position that the client received. Undefined: it gets the state first. */
  readonly from?: LogPosition | undefined;
  /** The hash of the content that the client holds: it needs no members while the snapshot has that hash. */
  readonly have?: string | undefined;
}

/** What the client of a stream of several topologies asks for. */
export interface StreamTopics {
  /** True for `*`: all topologies, also those that appear later. */
  readonly isAll: boolean;
  /** The topologies that are named. */
  readonly topics: ReadonlyMap<TopologyName, StreamTopic>;
}

const HASH = /^[\w:+/=-]{1,128}$/;

/** Parses the hash of the content that a client holds. Returns `undefined` for an absent or empty text. Throws `VALIDATION_MALFORMED`. */
export function parseHash(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (HASH.test(text)) return text;
  throw new ProvisioningError(
    "VALIDATION_MALFORMED",
    "the hash of the content has characters that no hash has",
  );
}

/**
 * Parses the values of `topology`. Each is `*` or `NAME`, `NAME@EPOCH/SEQNO`, `NAME;HASH` or `NAME@EPOCH/SEQNO;HASH`. `lastEventId` has the
 * form `NAME@EPOCH/SEQNO` and replaces the position of that topology. Throws `VALIDATION_MALFORMED`.
 */
export function parseTopics(values: readonly string[], lastEventId: string | undefined): StreamTopics {
  const isAll = values.includes("*");
  const topics = new Map<TopologyName, StreamTopic>();
  for (const value of values) {
    if (value === "*") continue;
    const topic = parseTopic(value);
    topics.set(topic.name, topic);
  }
  if (lastEventId === undefined || lastEventId === "") return { isAll, topics };
  const { name, from } = parseTopic(lastEventId);
  if (from === undefined) throw malformed();
  const topic = topics.get(name);
  if (topic !== undefined || isAll) topics.set(name, { name, from, have: topic?.have });
  return { isAll, topics };
}

const TOPIC = /^([^@;]+)(?:@([^/;]*)\/([^;]*))?(?:;(.*))?$/s;

function parseTopic(text: string): StreamTopic {
  const [, name, epoch, seqNo, hash] = TOPIC.exec(text) ?? [];
  const from = epoch === undefined || seqNo === undefined ? undefined : toPosition(epoch, seqNo);
  if (isTopologyName(name) && (epoch === undefined || from !== undefined))
    return { name, from, have: parseHash(hash) };
  throw malformed();
}

function malformed(): ProvisioningError {
  return new ProvisioningError(
    "VALIDATION_MALFORMED",
    'a topology of the stream must have the form "NAME", "NAME@EPOCH/SEQNO", "NAME;HASH" or "NAME@EPOCH/SEQNO;HASH"',
  );
}
