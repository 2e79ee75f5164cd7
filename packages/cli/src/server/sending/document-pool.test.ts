import { gunzipSync } from "node:zlib";
import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { DocumentPool, type DocumentSource, type Section } from "./document-pool.ts";
import { GZIP_HEADER, toGzipTrailer } from "./gzip.ts";
import type { SharedDocument } from "./shared-document.ts";

const KILOBYTE = "x".repeat(1_024);

/** A section with this number of kilobytes. `made` counts how many times it was encoded to its end. */
function section(kilobytes: number, key?: object) {
  const result = {
    key,
    made: 0,
    *toPieces() {
      for (let piece = 0; piece < kilobytes; piece++) yield KILOBYTE;
      result.made++;
    },
  };
  return result;
}

/** A document of one section that it shares with no other. */
function source(...sections: readonly Section[]): DocumentSource {
  return { key: {}, sections };
}

function textOf({ parts }: SharedDocument): string {
  return Buffer.concat(parts.map(({ plain }) => plain.body)).toString();
}

function createPool(kilobytes: number) {
  const pool = new DocumentPool({ clock: new VirtualClock(), maxBytes: kilobytes * 1_024 });
  const evicted: string[] = [];
  const get = async (wanted: DocumentSource, isDeflated = false) =>
    (await pool.get(() => wanted, { isDeflated }))!;
  const hold = async (wanted: DocumentSource, name = "") => {
    const document = await get(wanted);
    return { document, release: pool.hold(document, () => evicted.push(name)) };
  };
  return { pool, evicted, get, hold };
}

// R7.5 R7.6
describe("DocumentPool", () => {
  test("encodes a document once for all of its readers, also those that request it while it is encoded", async () => {
    const { get } = createPool(400);
    const part = section(100);
    const wanted = source(part);
    const [one, two, three] = await Promise.all([get(wanted), get(wanted), get(wanted)]);
    expect(textOf(one)).toBe(KILOBYTE.repeat(100));
    expect([two, three, await get(wanted)]).toEqual([one, one, one]);
    expect(two).toBe(one);
    expect(part.made).toBe(1);
  });

  test("sends parts of bounded size, whatever the size of the pieces, with and without the frame of a chunk", async () => {
    const { get } = createPool(1_000);
    const { parts } = await get(source({ toPieces: () => ["é".repeat(150_000)] }));
    expect(Math.max(...parts.map(({ plain }) => plain.body.byteLength))).toBe(131_072);
    expect(Buffer.concat(parts.map(({ plain }) => plain.body)).toString()).toBe("é".repeat(150_000));
    const { chunk, body } = parts[0]!.plain;
    expect(Buffer.from(chunk).toString("latin1")).toBe(
      `20000\r\n${Buffer.from(body).toString("latin1")}\r\n`,
    );
    expect(chunk.buffer).toBe(body.buffer);
  });

  test("documents share the sections with the same key, and the memory of them", async () => {
    const { pool, get } = createPool(4_000);
    const [first, changed, last] = [section(100, {}), section(100, {}), section(100, {})];
    await get(source(first, section(100, {}), last));
    const before = pool.bytes;
    const document = await get(source(first, changed, last));
    expect([first.made, changed.made, last.made]).toEqual([1, 1, 1]);
    expect(textOf(document)).toBe(KILOBYTE.repeat(300));
    expect(pool.bytes - before).toBeGreaterThan(100 * 1_024);
    expect(pool.bytes - before).toBeLessThan(110 * 1_024);
  });

  test("a section is kept while one of its documents is", async () => {
    const { pool, hold } = createPool(200);
    const shared = section(60, {});
    const { document, release } = await hold(source(shared, section(60, {})));
    // Each of these drops the one before, because it does not fit. All have a section of the first one.
    for (let version = 0; version < 5; version++) await hold(source(shared, section(60, {})));
    expect(document.isEvicted).toBe(true);
    expect(shared.made).toBe(1);
    release[Symbol.dispose]();
    expect(pool.bytes).toBeLessThanOrEqual(200 * 1_024);
    for (let version = 0; version < 5; version++) await hold(source(section(100)));
    expect(pool.bytes).toBeLessThanOrEqual(200 * 1_024);
    expect(textOf((await hold(source(shared))).document)).toBe(KILOBYTE.repeat(60));
    expect(shared.made).toBe(2);
  });

  test("disconnects the readers of the oldest document when a new one does not fit", async () => {
    const { pool, evicted, hold } = createPool(100);
    for (let version = 0; version < 20; version++) {
      await hold(source(section(30)), `reader of ${version}`);
      expect(pool.bytes).toBeLessThanOrEqual(100 * 1_024);
    }
    expect(evicted).toEqual(Array.from({ length: 17 }, (_, version) => `reader of ${version}`));
  });

  test("drops documents without readers first", async () => {
    const { evicted, hold, get } = createPool(160);
    await hold(source(section(30)), "reader of the first");
    for (let version = 0; version < 10; version++) {
      const document = await get(source(section(30)));
      expect(document.isEvicted).toBe(false);
    }
    for (let version = 0; version < 3; version++) await hold(source(section(30)));
    expect(evicted).toEqual([]);
  });

  test("sends the newest document at any size, and keeps few documents without readers", async () => {
    const { pool, evicted, hold } = createPool(100);
    const large = await hold(source(section(200)), "reader of the large one");
    expect(textOf(large.document)).toHaveLength(200 * 1_024);
    expect(evicted).toEqual([]);
    large.release[Symbol.dispose]();
    expect(pool.bytes).toBe(0);
    for (let version = 0; version < 30; version++)
      (await hold(source(section(20)))).release[Symbol.dispose]();
    // Those without readers: the newest one, and no more than a quarter of the budget with the others.
    expect(pool.bytes).toBeGreaterThan(0);
    expect(pool.bytes).toBeLessThan(26 * 1_024);
  });

  test("a short document is one part, made at once, does not wait for a long one, and counts only while it is held", async () => {
    const { pool, evicted, get } = createPool(100);
    const long = get(source(section(60)));
    const document = pool.get(() => source(section(2), section(3)), { isDeflated: false });
    if (document === undefined || document instanceof Promise) throw new Error("was not made at once");
    expect(document.parts).toHaveLength(1);
    expect(textOf(document)).toBe(KILOBYTE.repeat(5));
    await long;
    const before = pool.bytes;
    const reader = pool.hold(document, () => evicted.push("first"));
    const second = pool.hold(document, () => evicted.push("second"));
    expect(pool.bytes - before).toBeGreaterThan(5 * 1_024);
    reader[Symbol.dispose]();
    second[Symbol.dispose]();
    expect(pool.bytes).toBe(before);
    pool.hold(document, () => evicted.push("stalled"));
    await get(source(section(98)));
    expect(evicted).toEqual(["stalled"]);
    expect(pool.bytes).toBeLessThanOrEqual(100 * 1_024);
  });

  test("a waiting reader gets the document that is newest when its turn comes", async () => {
    const { pool } = createPool(1_000);
    const versions = [section(50), section(60), section(70)];
    let newest = 0;
    const options = { isDeflated: false };
    const first = pool.get(() => source(versions[0]!), options);
    const second = pool.get(() => source(versions[newest]!), options);
    newest = 2;
    await first;
    expect(textOf((await second)!)).toHaveLength(70 * 1_024);
    expect(versions[1]!.made).toBe(0);
  });

  test("a document that cannot be encoded fails for its readers and leaves nothing behind", async () => {
    const { pool, get } = createPool(1_000);
    const broken = {
      *toPieces() {
        yield KILOBYTE.repeat(100);
        throw new Error("broken");
      },
    };
    await expect(get(source(section(20, {}), broken))).rejects.toThrow("broken");
    expect(pool.bytes).toBe(0);
    expect(textOf(await get(source(section(30))))).toHaveLength(30 * 1_024);
  });

  test("finds nothing when there is no document any more", async () => {
    const { pool } = createPool(100);
    expect(pool.get(() => undefined, { isDeflated: false })).toBeUndefined();
    const found = [source(section(30)), undefined];
    expect(await pool.get(() => found.shift(), { isDeflated: false })).toBeUndefined();
  });

  test("compresses each part once, and any sequence of parts is one gzip member", async () => {
    const { pool, get } = createPool(4_000);
    const shared = section(100, {});
    const document = await get(source(shared, section(30, {})), true);
    expect(document.isDeflated).toBe(true);
    expect(pool.bytes).toBeGreaterThan(130 * 1_024);
    const other = await get(source(shared, section(50, {})), true);
    expect(other.parts[0]!.deflated).toBe(document.parts[0]!.deflated);
    let crc = 0;
    let size = 0;
    const bodies: Uint8Array[] = [GZIP_HEADER];
    for (const part of [...document.parts, ...other.parts, ...document.parts]) {
      bodies.push(part.deflated.body);
      crc = part.crcAfter(crc);
      size += part.plain.body.byteLength;
    }
    bodies.push(toGzipTrailer(crc, size));
    const text = gunzipSync(Buffer.concat(bodies)).toString();
    expect(text).toBe(textOf(document) + textOf(other) + textOf(document));
  });
});
