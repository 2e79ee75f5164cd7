import { PassThrough, Writable } from "node:stream";
import { VirtualClock } from "@holdfast/conformance";
import { describe, expect, test } from "vitest";
import { LineWriter } from "./line-writer.ts";

function slowStream() {
  return new PassThrough({ highWaterMark: 10, encoding: "utf8" });
}

describe("LineWriter", () => {
  test("writes whole lines in order, however they are made", async () => {
    const stream = new PassThrough({ encoding: "utf8" });
    using writer = new LineWriter(stream, new VirtualClock());
    await Promise.all([writer.write(["one ", "in ", "pieces"]), writer.write("two"), writer.write([])]);
    await writer.flush();
    expect(stream.read()).toBe("one in pieces\ntwo\n\n");
  });

  test("waits for a slow reader", async () => {
    const clock = new VirtualClock();
    const stream = slowStream();
    using writer = new LineWriter(stream, clock);
    let isWritten = false;
    void writer.write("a line that is long").then(() => (isWritten = true));
    await clock.settle();
    expect(isWritten).toBe(false);
    expect(stream.read()).toBe("a line that is long\n");
    await clock.settle();
    expect(isWritten).toBe(true);
  });

  test("holds a bounded number of lines for a reader that does not read", async () => {
    const clock = new VirtualClock();
    const stream = slowStream();
    using writer = new LineWriter(stream, clock);
    const lines = Array.from({ length: 5_000 }, (_, index) => writer.write(`line ${index}`));
    await clock.settle();
    let text = "";
    stream.on("data", (chunk) => (text += String(chunk)));
    await Promise.all(lines);
    expect(text.split("\n")).toHaveLength(1_001);
  });

  test("ends quietly when the reader is gone", async () => {
    const stream = new Writable({
      autoDestroy: false, // as standard output is
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
    });
    using writer = new LineWriter(stream, new VirtualClock());
    const lines = [writer.write("one"), writer.write(["two"]), writer.flush()];
    await Promise.all(lines);
    expect(writer.gone.aborted).toBe(true);
    await writer.write("three");
    await writer.flush();
  });
});
