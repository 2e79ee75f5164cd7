import { constants, deflateRawSync } from "node:zlib";

/**
 * Compression of parts that are shared by many responses. Each part is compressed once, by itself, to whole deflate blocks that refer to
 * nothing before them, end at a byte boundary and are not the last ones. So any sequence of parts between a header and a trailer is one
 * ordinary gzip member (RFC 1951, RFC 1952), and a client can read each part as soon as it arrives.
 */
export function deflatePart(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH });
}

/** About three quarters of the gain of the default level, for a third of the time. */
const LEVEL = 3;

/** RFC 1952, section 2.3: deflate, no flags, no time, unknown system. */
export const GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);

/** Returns the end of a gzip member: an empty last block, the CRC-32 of the content, and its size modulo 2^32. */
export function toGzipTrailer(crc: number, size: number): Uint8Array {
  const trailer = Buffer.alloc(10);
  trailer.set([3, 0]);
  trailer.writeUInt32LE(crc >>> 0, 2);
  trailer.writeUInt32LE(size % 2 ** 32, 6);
  return trailer;
}

/** True when an `Accept-Encoding` header allows gzip (RFC 9110, section 12.5.3). Without the header, no encoding is used. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  const weights = new Map(acceptEncoding.split(",").map((entry) => toWeight(entry)));
  return (weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0) > 0;
}

function toWeight(entry: string): readonly [coding: string, weight: number] {
  const [coding = "", ...parameters] = entry.split(";").map((text) => text.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return [coding, weight === undefined ? 1 : Number(weight)];
}
