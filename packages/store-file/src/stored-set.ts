import { createHash } from "node:crypto";
import type { ProviderDescriptor } from "@holdfast/core";
import * as z from "zod";
import { LineReader } from "./line-reader.ts";
import { isJson, storedDescriptorSchema } from "./stored-descriptor.ts";

const FORMAT = "holdfast-providers";
const VERSION = 1;

/** Identifies one saved set. Each save increases the generation by one; 0 is the empty set of a missing file. */
export interface SetVersion {
  readonly generation: number;
  readonly sha256: string;
}

export interface StoredSet {
  readonly version: SetVersion;
  readonly descriptors: readonly ProviderDescriptor[];
}

export const NOTHING_STORED: StoredSet = { version: { generation: 0, sha256: "" }, descriptors: [] };

export function isSameVersion(a: SetVersion, b: SetVersion): boolean {
  return a.generation === b.generation && a.sha256 === b.sha256;
}

interface Header extends SetVersion {
  readonly count: number;
}

const headerSchema: z.ZodType<Header> = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  generation: z.int().min(1),
  count: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

function formatHeader({ generation, count, sha256 }: Header): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, generation, count, sha256 });
}

/** Encodes the whole file: a header line with the count and checksum of the rest, then one line for each descriptor. */
export function encodeSet(
  lines: readonly string[],
  generation: number,
): { readonly version: SetVersion; readonly bytes: Uint8Array } {
  const body = lines.map((line) => `${line}\n`).join("");
  const sha256 = checksum(body);
  const header = formatHeader({ generation, count: lines.length, sha256 });
  return { version: { generation, sha256 }, bytes: Buffer.from(`${header}\n${body}`) };
}

/**
 * Decodes the output of `encodeSet`. Throws `STORE_CORRUPTED` for the first line that is wrong; the reason never quotes
 * the file. When every line is well-formed and only the checksum differs, the error names line 1.
 */
export function decodeSet(bytes: Uint8Array, file: string): StoredSet {
  const lines = new LineReader(bytes, file);
  const { generation, count, sha256 } = readHeader(lines);
  const bodyStart = lines.position;
  const descriptors: ProviderDescriptor[] = [];
  const lineOfId = new Map<string, number>();
  while (!lines.isAtEnd) {
    if (descriptors.length === count)
      lines.fail(lines.number + 1, `the header counts only ${count} descriptors`);
    const descriptor = lines.next(storedDescriptorSchema);
    // Rejects a number beyond the range of a double, and nesting that is too deep to traverse safely.
    if (!isJson(descriptor.params))
      lines.fail(lines.number, "params: expected JSON with finite numbers, not nested too deeply");
    const earlier = lineOfId.get(descriptor.id);
    if (earlier !== undefined) lines.fail(lines.number, `it has the same id as line ${earlier}`);
    lineOfId.set(descriptor.id, lines.number);
    descriptors.push(descriptor);
  }
  if (descriptors.length < count) {
    lines.fail(lines.number + 1, `the file ends after ${descriptors.length} of ${count} descriptors`);
  }
  if (checksum(bytes.subarray(bodyStart)) !== sha256) {
    lines.fail(1, "the checksum does not match the descriptors");
  }
  return { version: { generation, sha256 }, descriptors };
}

function readHeader(lines: LineReader): Header {
  if (lines.isAtEnd) lines.fail(1, "the file is empty");
  const header = lines.next(headerSchema);
  // A header has exactly one valid byte form. Any other form was not written by a store.
  if (formatHeader(header) !== lines.text) lines.fail(1, "the header is not in the form that a store writes");
  return header;
}

function checksum(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
