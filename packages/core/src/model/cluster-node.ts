import * as z from "zod";
import { NODE_LIMITS } from "./node-limits.ts";
import { HOST_PATTERN } from "./host-pattern.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { toValidationProblems } from "../errors/validation-problem.ts";

/** Identifies a node within the whole cluster, whatever provider reports it. 1 to 253 characters. */
export type NodeId = string;

/**
 * One member of the cluster. Immutable: an unchanged node is the same object in the next snapshot.
 * `tags` are sorted and unique; `weight` is relative, and absent means the consumer's own default.
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

/** What a node looks like before it is checked: `tags` and `metadata` may be left out. */
export interface ClusterNodeInput extends Omit<ClusterNode, "tags" | "metadata"> {
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

const NO_TAGS: readonly string[] = Object.freeze([]);
const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});

/** The one definition of a node read from outside. Unknown fields are refused: they are most often typing errors. */
export const clusterNodeSchema: z.ZodType<ClusterNodeInput> = z.strictObject({
  id: z.string().min(1).max(NODE_LIMITS.id),
  host: z.string().max(NODE_LIMITS.host).regex(HOST_PATTERN, "an IP address or a DNS name"),
  port: z.int().min(1).max(65_535),
  zone: z.string().min(1).max(NODE_LIMITS.zone).optional(),
  weight: z.number().min(0).optional(),
  tags: z.array(z.string().max(NODE_LIMITS.tag)).max(NODE_LIMITS.tags).optional(),
  metadata: z
    .record(z.string().max(NODE_LIMITS.metadataKey), z.string().max(NODE_LIMITS.metadataValue))
    .optional(),
});

/** Turns checked input into a node: the same content always gives an equal node, however its tags were ordered. */
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
 * Checks one entry and makes it a node. Throws `VALIDATION_MALFORMED` naming every problem of the entry. Given the node
 * that stood there before, an entry that still says the same gives back that node, unread: a fraction of the cost.
 */
export type NodeReader = (entry: unknown, before?: ClusterNode) => ClusterNode;

/** Compiles a reader for many nodes; it costs a few hundred nanoseconds a node. */
export function createNodeReader(): NodeReader {
  const compiled = z.compile(clusterNodeSchema);
  return (entry, before) => {
    if (before !== undefined && isEntryOf(before, entry)) return before;
    const result = compiled.safeParse(entry);
    if (result.success) return createClusterNode(result.data);
    throw new ProvisioningError("VALIDATION_MALFORMED", "a node is malformed", {
      details: { problems: toValidationProblems(result.error.issues, entry) },
    });
  };
}

/** The entry says this node and nothing else: then it is as well formed as the node is. */
function isEntryOf(node: ClusterNode, entry: unknown): boolean {
  if (typeof entry !== "object" || entry === null) return false;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a comparison with a checked node checks its form
  const input = entry as ClusterNodeInput;
  if (!isSameNode(node, input) || !isListOrAbsent(input.tags)) return false;
  // Where there is nothing to compare, null, "" or 5 would pass for an empty record.
  if (node.metadata === NO_METADATA && !isRecordOrAbsent(input.metadata)) return false;
  let unknownFields = -3;
  for (const _ in input) unknownFields++;
  if (input.zone !== undefined) unknownFields--;
  if (input.weight !== undefined) unknownFields--;
  if (input.tags !== undefined) unknownFields--;
  if (input.metadata !== undefined) unknownFields--;
  return unknownFields === 0;
}

function isListOrAbsent(value: unknown): boolean {
  return value === undefined || Array.isArray(value);
}

function isRecordOrAbsent(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Same content, field by field. Strings are compared first by identity, so shared nodes cost next to nothing. */
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
    // Values are strings, so a field that `b` lacks or inherits cannot be equal.
    if (a[key] !== b[key]) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** V8 keeps an object that grew past 16 keys one by one as a hash table of five times the size; a copy in one go is not. */
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
