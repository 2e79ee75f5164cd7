import { createHash } from "node:crypto";
import {
  createSnapshot,
  isProvisioningError,
  MemberSet,
  type Clock,
  type ClusterNode,
  type KnownGood,
} from "@holdfast/core";
import { createNodeReader, MAX_MEMBERS } from "@holdfast/core/adapter";
import * as z from "zod";
import { LineReader } from "./line-reader.ts";

const FORMAT = "holdfast-snapshot";
const VERSION = 1;
/** Members per slice: about 300 KB, a few milliseconds of work. */
const NODES_IN_PIECE = 1_000;

interface Header {
  readonly providerId: string;
  readonly revision?: string | undefined;
  readonly observedAt: number;
  readonly confirmedAt: number;
  readonly source: string;
  readonly count: number;
}

/** True for a file that a store has written, also when it was damaged or truncated later. */
export function isStoredSnapshot(bytes: Uint8Array): boolean {
  const start = Buffer.from(`{"format":"${FORMAT}"`);
  return Buffer.from(bytes.subarray(0, start.byteLength)).equals(start);
}

const headerSchema: z.ZodType<Header> = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  providerId: z.string().min(1),
  revision: z.string().optional(),
  observedAt: z.number(),
  confirmedAt: z.number(),
  source: z.string(),
  count: z.int().min(0).max(MAX_MEMBERS),
});

const footerSchema: z.ZodType<{ readonly sha256: string }> = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/**
 * Yields the file in pieces: a header line, one line for each member, and a last line with the checksum of everything
 * before it.
 */
export function* encodeSnapshot({ snapshot, confirmedAt, source }: KnownGood): Generator<Uint8Array, void> {
  const { providerId, revision, observedAt, members } = snapshot;
  const digest = createHash("sha256");
  const seal = (lines: readonly unknown[]) => {
    const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    digest.update(bytes);
    return bytes;
  };
  const head = { format: FORMAT, version: VERSION, providerId, revision, observedAt, confirmedAt, source };
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

export interface DecodeOptions {
  /** The path as the user wrote it, for errors. */
  readonly file: string;
  readonly clock: Clock;
}

/**
 * Decodes the output of `encodeSnapshot`; yields to the event loop after every thousand members. Throws
 * `STORE_CORRUPTED` for the first line that is wrong; the reason never quotes the file.
 */
export async function decodeSnapshot(bytes: Uint8Array, { file, clock }: DecodeOptions): Promise<KnownGood> {
  const lines = new LineReader(bytes, file);
  if (lines.isAtEnd) lines.fail(1, "the file is empty");
  const { providerId, revision, observedAt, confirmedAt, source, count } = lines.next(headerSchema);
  const digest = createHash("sha256");
  let digested = 0;
  const digestRead = () => {
    digest.update(bytes.subarray(digested, lines.position));
    digested = lines.position;
  };
  const readNode = createNodeReader();
  const nodes: ClusterNode[] = [];
  while (nodes.length < count) {
    nodes.push(readMember(lines, readNode));
    if (nodes.length % NODES_IN_PIECE > 0) continue;
    digestRead();
    await clock.yield();
  }
  digestRead();
  const { sha256 } = lines.next(footerSchema);
  if (!lines.isAtEnd) lines.fail(lines.number + 1, `the header counts only ${count} members`);
  if (digest.digest("hex") !== sha256) {
    lines.fail(lines.number, "the checksum does not match what comes before it");
  }
  const members = await toMembers(nodes, lines, clock);
  return { snapshot: createSnapshot({ providerId, revision, observedAt, members }), confirmedAt, source };
}

function readMember(lines: LineReader, readNode: ReturnType<typeof createNodeReader>): ClusterNode {
  const json = lines.nextJson();
  try {
    return readNode(json);
  } catch {
    return lines.fail(lines.number, "it is not a member");
  }
}

async function toMembers(nodes: readonly ClusterNode[], lines: LineReader, clock: Clock): Promise<MemberSet> {
  try {
    return await MemberSet.empty.replaceSliced(nodes, { clock });
  } catch (error) {
    if (isProvisioningError(error)) return lines.fail(1, "two members share an id");
    throw error;
  }
}
