import { createHash } from "node:crypto";
import { NODE_LIMITS } from "../model/node-limits.ts";

/** An entry that fits `NODE_LIMITS`, and the reasons of the changes, without quoting the entry. */
export interface TrimmedNode {
  readonly entry: Readonly<Record<string, unknown>>;
  /** One reason for each changed field; never empty. */
  readonly reasons: readonly string[];
}

const DIGEST_DIGITS = 16;

/**
 * Makes an entry fit the limits of a node. Only descriptive fields are cut: tags, metadata and a zone that are too long
 * are removed, and an id that is too long is shortened (`shortenId`). Returns `undefined` when there is nothing to cut.
 * Other malformed fields stay, for the reader to refuse.
 */
export function trimNode(entry: Readonly<Record<string, unknown>>): TrimmedNode | undefined {
  const { id, zone, tags, metadata } = entry;
  const changed: Record<string, unknown> = {};
  const reasons: string[] = [];
  const change = (field: string, value: unknown, reason: string): void => {
    changed[field] = value;
    reasons.push(reason);
  };
  if (typeof id === "string" && id.length > NODE_LIMITS.id)
    change("id", shortenId(id), `the id is longer than ${NODE_LIMITS.id} characters`);
  if (typeof zone === "string" && zone.length > NODE_LIMITS.zone)
    change("zone", undefined, `the zone is longer than ${NODE_LIMITS.zone} characters`);
  const fewer = Array.isArray(tags) ? trimTags(tags) : undefined;
  if (fewer !== undefined)
    change(
      "tags",
      fewer,
      `more than ${NODE_LIMITS.tags} tags, or a tag of more than ${NODE_LIMITS.tag} characters`,
    );
  const less = typeof metadata === "object" && metadata !== null ? trimMetadata(metadata) : undefined;
  if (less !== undefined)
    change(
      "metadata",
      less,
      `a metadata key of more than ${NODE_LIMITS.metadataKey} characters, or a value of more than ${NODE_LIMITS.metadataValue}`,
    );
  return reasons.length === 0 ? undefined : { entry: { ...entry, ...changed }, reasons };
}

/**
 * Returns the same id for the same text in every process: its first characters, "~" and the first 16 hexadecimal digits
 * of its SHA-256. An id within the limit is returned unchanged.
 */
export function shortenId(id: string): string {
  if (id.length <= NODE_LIMITS.id) return id;
  const digest = createHash("sha256").update(id).digest("hex").slice(0, DIGEST_DIGITS);
  let beginning = id.slice(0, NODE_LIMITS.id - DIGEST_DIGITS - 1);
  // Removes half of a surrogate pair at the end.
  if (!beginning.isWellFormed()) beginning = beginning.slice(0, -1);
  return `${beginning}~${digest}`;
}

/** If there are too many tags, the choice of those to keep does not depend on their order. */
function trimTags(tags: readonly unknown[]): readonly unknown[] | undefined {
  const short = tags.filter((tag) => typeof tag !== "string" || tag.length <= NODE_LIMITS.tag);
  if (short.length <= NODE_LIMITS.tags) return short.length === tags.length ? undefined : short;
  return short.every((tag) => typeof tag === "string")
    ? [...new Set(short)].sort().slice(0, NODE_LIMITS.tags)
    : undefined;
}

function trimMetadata(metadata: object): object | undefined {
  const all = Object.entries(metadata);
  const short = all.filter(
    ([key, value]) =>
      key.length <= NODE_LIMITS.metadataKey &&
      (typeof value !== "string" || value.length <= NODE_LIMITS.metadataValue),
  );
  return short.length === all.length ? undefined : Object.fromEntries(short);
}
