import { describe, expect, test } from "vitest";
import { collectBytes } from "./collect-bytes.ts";

describe("collectBytes", () => {
  test("returns all parts as one buffer", async () => {
    const source = new Source(["ab", "", "c"]);
    expect((await collectBytes(source, { maxBytes: 3 })).toString()).toBe("abc");
    expect((await collectBytes(new Source(["abc"]), { maxBytes: 3 })).toString()).toBe("abc");
    expect((await collectBytes(new Source([]), { maxBytes: 1 })).byteLength).toBe(0);
  });

  test("rejects an endless body at its limit, and closes it", async () => {
    const source = new Source(function* endless() {
      for (;;) yield "x".repeat(10);
    });
    await expect(collectBytes(source, { maxBytes: 25 })).rejects.toMatchObject({
      code: "STREAM_INVALID_DATA",
      details: { maxBytes: 25 },
    });
    expect(source).toMatchObject({ given: 3, isClosed: true });
  });

  test("rethrows the error of the source", async () => {
    const broken = new Error("reset");
    const source = new Source(function* breaking() {
      yield "a";
      throw broken;
    });
    await expect(collectBytes(source, { maxBytes: 9 })).rejects.toBe(broken);
  });
});

class Source implements AsyncIterable<Uint8Array> {
  given = 0;
  isClosed = false;
  readonly #parts: Iterable<string>;

  constructor(parts: Iterable<string> | (() => Iterable<string>)) {
    this.#parts = typeof parts === "function" ? parts() : parts;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (const part of this.#parts) {
        this.given++;
        yield Buffer.from(part);
      }
    } finally {
      this.isClosed = true;
    }
  }
}
