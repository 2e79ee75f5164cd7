import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { acceptsGzip, deflatePart, GZIP_HEADER, toGzipTrailer } from "./gzip.ts";

test.each([
  [undefined, false],
  ["", false],
  ["gzip", true],
  ["GZIP", true],
  ["br, gzip;q=0.5, zstd", true],
  ["deflate, br", false],
  ["*", true],
  ["identity;q=1, *;q=0", false],
  ["gzip;q=0", false],
  ["gzip;q=0.0, *", false],
  ["gzip ; q=0.001", true],
  ["gzip;q=x", false],
  ["x-gzip", true],
  ["gzippy", false],
])("Accept-Encoding %j: %s", (header, expected) => {
  expect(acceptsGzip(header)).toBe(expected);
});

test("a member without parts is an empty gzip file", () => {
  expect(gunzipSync(Buffer.concat([GZIP_HEADER, toGzipTrailer(0, 0)]))).toHaveLength(0);
});

test("a compressed part does not depend on the parts before it", () => {
  const part = Buffer.from("abcabcabc".repeat(100));
  expect(deflatePart(part)).toEqual(deflatePart(part));
});
