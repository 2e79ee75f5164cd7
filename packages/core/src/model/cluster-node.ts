/** Identifies a node within the whole cluster, independent of the provider. 1 to 253 characters. */
export type NodeId = string;

/**
 * One member of the cluster. Immutable: an unchanged node is the same object in the next snapshot. `tags` are sorted
 * and unique. `weight` is relative; without it the consumer's default applies.
 */
export interface ClusterNode {
  readonly id: NodeId;
  /** An IP address or a DNS name. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly zone?: string | undefined;
  readonly weight?: number | undefined;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A node before it is normalised: `tags` and `metadata` may be omitted. */
export interface ClusterNodeInput extends Omit<ClusterNode, "tags" | "metadata"> {
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const NO_TAGS: readonly string[] = Object.freeze([]);
/** The shared metadata object of all nodes without metadata. */
export const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/** Converts checked input to a node. The same content always gives an equal node, whatever the order of its tags. */
export function createClusterNode(input: ClusterNodeInput): ClusterNode {
  const { id, host, port, zone, weight, tags, metadata } = input;
  return {
    id,
    host,
    port,
    zone,
    weight,
    tags: tags === undefined || tags.length === 0 ? NO_TAGS : sortedUnique(tags),
    metadata: metadata === undefined ? NO_METADATA : toCompact(metadata),
  };
}

/**
 * Compares the content field by field. Strings are compared by identity first, so comparing shared nodes is almost
 * free.
 */
export function isSameNode(a: ClusterNode, b: ClusterNodeInput): boolean {
  return (
    a === b ||
    (a.id === b.id &&
      a.host === b.host &&
      a.port === b.port &&
      a.zone === b.zone &&
      a.weight === b.weight &&
      isSameList(a.tags, b.tags ?? NO_TAGS) &&
      isSameRecord(a.metadata, b.metadata ?? NO_METADATA))
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function isSameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  if (a === b) return true;
  let count = 0;
  for (const key in a) {
    // Values are strings, so a missing or inherited field of `b` cannot be equal.
    if (a[key] !== b[key]) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/**
 * V8 stores an object that grew beyond 16 keys one by one as a hash table of five times the size. A copy in one step is
 * not stored that way.
 */
function toCompact(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  let count = 0;
  for (const _ in metadata) if (++count > 16) return { ...metadata };
  return count === 0 ? NO_METADATA : metadata;
}

function sortedUnique(tags: readonly string[]): readonly string[] {
  for (let i = 1; i < tags.length; i++) {
    if (tags[i - 1]! >= tags[i]!) return [...new Set(tags)].sort();
  }
  return tags;
}
