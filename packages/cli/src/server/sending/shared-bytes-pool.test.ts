import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { SharedBytesPool, type BytesSource } from "./shared-bytes-pool.ts";

const KILOBYTE = "x".repeat(1_024);

/** A document with this number of kilobytes. `made` counts how many times it was encoded. */
function document(kilobytes: number) {
  const source = {
    key: {},
    made: 0,
    *toPieces() {
      source.made++;
      for (let piece = 0; piece < kilobytes; piece++) yield KILOBYTE;
    },
  };
  return source;
}

function createPool(kilobytes: number) {
  const pool = new SharedBytesPool({ clock: new VirtualClock(), maxBytes: kilobytes * 1_024 });
  const evicted: string[] = [];
  const lease = async (source: BytesSource, name = "") =>
    (await pool.lease(
      () => source,
      () => evicted.push(name),
    ))!;
  return { pool, evicted, lease };
}

// R7.5 R7.6
describe("SharedBytesPool", () => {
  test("encodes a document once for all of its readers, also those that request it while it is encoded", async () => {
    const { lease } = createPool(100);
    const source = document(5);
    const leases = await Promise.all([lease(source), lease(source), lease(source)]);
    for (const { pieces } of leases) expect(Buffer.concat(pieces).toString()).toBe(KILOBYTE.repeat(5));
    expect(leases[1].pieces).toBe(leases[0].pieces);
    for (const each of leases) each[Symbol.dispose]();
    await lease(source);
    // The encoding of a document with more than one piece is started, found to be long, and started again in its turn.
    expect(source.made).toBeLessThanOrEqual(4);
  });

  test("disconnects the readers of the oldest document when a new one does not fit", async () => {
    const { pool, evicted, lease } = createPool(30);
    for (let version = 0; version < 20; version++) {
      await lease(document(8), `reader of ${version}`);
      expect(pool.bytes).toBeLessThanOrEqual(30 * 1_024);
    }
    expect(evicted).toEqual(Array.from({ length: 17 }, (_, version) => `reader of ${version}`));
  });

  test("drops documents without readers first", async () => {
    const { evicted, lease } = createPool(40);
    await lease(document(9), "reader of the first");
    (await lease(document(9)))[Symbol.dispose]();
    await lease(document(9));
    await lease(document(9));
    await lease(document(9));
    expect(evicted).toEqual([]);
  });

  test("keeps the newest document of any size, and few documents without readers", async () => {
    const { pool, lease } = createPool(20);
    const large = await lease(document(50));
    expect(large.pieces).toHaveLength(50);
    large[Symbol.dispose]();
    expect(pool.bytes).toBe(0);
    for (let version = 0; version < 100; version++) (await lease(document(1)))[Symbol.dispose]();
    expect(pool.bytes).toBeGreaterThan(0);
    expect(pool.bytes).toBeLessThanOrEqual(5 * 1_024);
  });

  test("a short document does not wait for a long one that is being encoded", async () => {
    const { lease } = createPool(1_000);
    const order: string[] = [];
    const long = lease(document(500)).then(() => order.push("long"));
    await lease(document(1)).then(() => order.push("short"));
    await long;
    expect(order).toEqual(["short", "long"]);
  });

  test("a waiting reader gets the document that is newest when its turn comes", async () => {
    const { pool } = createPool(1_000);
    const versions = [document(5), document(6), document(7)];
    let newest = 0;
    const first = pool.lease(
      () => versions[0],
      () => {},
    );
    const second = pool.lease(
      () => versions[newest],
      () => {},
    );
    newest = 2;
    await first;
    expect((await second)!.pieces).toHaveLength(7);
    expect(versions[1]!.made).toBe(0);
  });

  test("a document that cannot be encoded fails for its readers and leaves nothing behind", async () => {
    const { pool, lease } = createPool(10);
    const source = {
      key: {},
      *toPieces() {
        yield KILOBYTE;
        yield KILOBYTE;
        yield KILOBYTE;
        throw new Error("broken");
      },
    };
    await expect(lease(source)).rejects.toThrow("broken");
    expect(pool.bytes).toBe(0);
    expect((await lease(document(3))).pieces).toHaveLength(3);
  });

  test("returns no lease for a document that is not found", async () => {
    const { pool } = createPool(10);
    expect(
      await pool.lease(
        () => undefined,
        () => {},
      ),
    ).toBeUndefined();
  });
});
