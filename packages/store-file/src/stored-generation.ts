import { createHash } from "node:crypto";
import * as z from "zod";
import { LineReader } from "./line-reader.ts";

const FORMAT = "holdfast-generation";
const VERSION = 1;

export interface StoredGeneration {
  /** How many times the file was written. Processes compete for the next value. */
  readonly saves: number;
  /** The newest number that was returned to a caller. */
  readonly generation: number;
}

/** The content that a missing file counts as. */
export const NOTHING_GIVEN: StoredGeneration = { saves: 0, generation: 0 };

export function isSameGeneration(a: StoredGeneration, b: StoredGeneration): boolean {
  return a.saves === b.saves && a.generation === b.generation;
}

interface Line extends StoredGeneration {
  readonly sha256: string;
}

const lineSchema: z.ZodType<Line> = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  saves: z.int().min(1),
  generation: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** The whole file: one line of JSON with a checksum over its other fields. */
export function encodeGeneration({ saves, generation }: StoredGeneration): Uint8Array {
  return Buffer.from(`${format({ saves, generation })}\n`);
}

/**
 * Decodes the output of `encodeGeneration`. Throws `STORE_CORRUPTED` for anything else; the reason never quotes the
 * file.
 */
export function decodeGeneration(bytes: Uint8Array, file: string): StoredGeneration {
  const lines = new LineReader(bytes, file);
  if (lines.isAtEnd) lines.fail(1, "the file is empty");
  const { saves, generation } = lines.next(lineSchema);
  if (!lines.isAtEnd) lines.fail(2, "the file has more than one line");
  // This also rejects a line with the same fields in a different byte form, which no store wrote.
  if (format({ saves, generation }) !== lines.text) lines.fail(1, "the checksum does not match the line");
  return { saves, generation };
}

function format({ saves, generation }: StoredGeneration): string {
  const content = { format: FORMAT, version: VERSION, saves, generation };
  const sha256 = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  return JSON.stringify({ ...content, sha256 });
}
