import { createHash } from "node:crypto";
import {
  createNodeReader,
  createSnapshot,
  isProvisioningError,
  MemberSet,
  type ClusterNode,
  type KnownGood,
} from "@holdfast/core";
import * as z from "zod";
import { LineReader } from "./line-reader.ts";

const FORMAT = "holdfast-snapshot";
const VERSION = 1;
/** About 300 KB, a few milliseconds. */
const NODES_IN_PIECE = 1_000;

interface Header {
  readonly providerId: string;
  readonly revision?: string | undefined;
  readonly observedAt: number;
  readonly confirmedAt: number;
  readonly count: number;
}

const headerSchema: z.ZodType<Header> = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  providerId: z.string().min(1),
  revision: z.string().optional(),
  observedAt: z.number(),
  confirmedAt: z.number(),
  count: z.int().min(0),
});

const footerSchema: z.ZodType<{ readonly sha256: string }> = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** The file piece by piece: a header line, one line for each member, and a last line that checks all before it. */
export function* encodeSnapshot({ snapshot, confirmedAt }: KnownGood): Generator<Uint8Array, void> {
  const { providerId, revision, observedAt, members } = snapshot;
  const digest = createHash("sha256");
  const seal = (lines: readonly unknown[]) => {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    digest.update(bytes);
    return bytes;
  };
  const head = { format: FORMAT, version: VERSION, providerId, revision, observedAt, confirmedAt };
  yield seal([{ ...head, count: members.size }]);
  let piece: ClusterNode[] = [];
  for (const node of members) {
    piece.push(node);
    if (piece.length < NODES_IN_PIECE) continue;
    yield seal(piece);
    piece = [];
  }
  if (piece.length > 0) yield seal(piece);
  yield Buffer.from(`${JSON.stringify({ sha256: digest.digest("hex") })}\n`);
}

/**
 * Reads back what was encoded, yielding every thousand members, or throws `STORE_CORRUPTED` for the first line that is wrong.
 * The reason never repeats text of the file.
 */
export function* decodeSnapshot(bytes: Uint8Array, file: string): Generator<void, KnownGood> {
  const lines = new LineReader(bytes, file);
  if (lines.isAtEnd) lines.fail(1, "the file is empty");
  const { providerId, revision, observedAt, confirmedAt, count } = lines.next(headerSchema);
  const readNode = createNodeReader();
  const nodes: ClusterNode[] = [];
  while (nodes.length < count) {
    nodes.push(readMember(lines, readNode));
    if (nodes.length % NODES_IN_PIECE === 0) yield;
  }
  const end = lines.position;
  const { sha256 } = lines.next(footerSchema);
  if (!lines.isAtEnd) lines.fail(lines.number + 1, `the header counts only ${count} members`);
  if (createHash("sha256").update(bytes.subarray(0, end)).digest("hex") !== sha256) {
    lines.fail(lines.number, "the checksum does not match what comes before it");
  }
  const members = toMembers(nodes, lines);
  return { snapshot: createSnapshot({ providerId, revision, observedAt, members }), confirmedAt };
}

function readMember(lines: LineReader, readNode: ReturnType<typeof createNodeReader>): ClusterNode {
  const json = lines.nextJson();
  try {
    return readNode(json);
  } catch {
    return lines.fail(lines.number, "it is no member");
  }
}

function toMembers(nodes: readonly ClusterNode[], lines: LineReader): MemberSet {
  try {
    return MemberSet.from(nodes);
  } catch (error) {
    if (isProvisioningError(error)) return lines.fail(1, "two members share an id");
    throw error;
  }
}
