import { createHash } from "node:crypto";
import type { FoundService, KnownServices } from "@holdfast/core";
import * as z from "zod";
import { LineReader } from "./line-reader.ts";

const FORMAT = "holdfast-services";
const VERSION = 1;

interface Header {
  readonly count: number;
  readonly sha256: string;
}

const headerSchema: z.ZodType<Header> = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  count: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const serviceSchema: z.ZodType<FoundService> = z.strictObject({
  name: z.string().min(1),
  values: z.record(z.string(), z.string()).optional(),
});

const sourceSchema: z.ZodType<KnownServices> = z.strictObject({
  source: z.string().min(1),
  services: z.array(serviceSchema),
});

/** Encodes the whole file: a header line with the count and checksum of the rest, then one line for each source. */
export function encodeServices(all: readonly KnownServices[]): Uint8Array {
  const lines = all.map(({ source, services }) => {
    const entries = services.map(({ name, values }) => ({ name, values }));
    return `${JSON.stringify({ source, services: entries })}\n`;
  });
  const body = lines.join("");
  return Buffer.from(`${formatHeader({ count: lines.length, sha256: checksum(body) })}\n${body}`);
}

/**
 * Decodes the output of `encodeServices`. Throws `STORE_CORRUPTED` for the first line that is wrong; the reason never quotes the file. When
 * every line is well-formed and only the checksum differs, the error names line 1.
 */
export function decodeServices(bytes: Uint8Array, file: string): readonly KnownServices[] {
  const lines = new LineReader(bytes, file);
  if (lines.isAtEnd) lines.fail(1, "the file is empty");
  const { count, sha256 } = lines.next(headerSchema);
  const bodyStart = lines.position;
  const all: KnownServices[] = [];
  while (!lines.isAtEnd) {
    if (all.length === count) lines.fail(lines.number + 1, `the header counts only ${count} sources`);
    all.push(lines.next(sourceSchema));
  }
  if (all.length < count) {
    lines.fail(lines.number + 1, `the file ends after ${all.length} of ${count} sources`);
  }
  if (checksum(bytes.subarray(bodyStart)) !== sha256) {
    lines.fail(1, "the checksum does not match the services");
  }
  return all;
}

function formatHeader({ count, sha256 }: Header): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, count, sha256 });
}

function checksum(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
