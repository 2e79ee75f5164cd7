import { PassThrough, Writable } from "node:stream";
import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { LineWriter, type LineWriterListener } from "./line-writer.ts";

function slowStream() {
  return new PassThrough({ highWaterMark: 10, encoding: "utf8" });
}

/** A stream that stays open after a failure, as standard output does. Writes fail with `code` while it is set. */
class FailingStream extends Writable {
  code: string | undefined;
  text = "";

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(chunk: unknown, _encoding: string, done: (error?: Error) => void): void {
    if (this.code === undefined) {
      this.text += String(chunk);
      done();
    } else {
      done(Object.assign(new Error(`write ${this.code}`), { code: this.code }));
    }
  }

  // Node sets this for standard output.
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
    const undestroy: unknown = Reflect.get(this, "_undestroy");
    if (typeof undestroy === "function") Reflect.apply(undestroy, this, []);
  }
}

function observe(stream: Writable) {
  const seen: string[] = [];
  const listener: LineWriterListener = {
    onFailed: ({ code }) => void seen.push(code),
    onRecovered: (dropped) => void seen.push(`recovered after ${dropped}`),
  };
  return { seen, writer: new LineWriter(stream, new VirtualClock(), listener) };
}

describe("LineWriter", () => {
  test("writes whole lines in order, also lines in pieces", async () => {
    const stream = new PassThrough({ encoding: "utf8" });
    const writer = new LineWriter(stream, new VirtualClock());
    await Promise.all([writer.write(["one ", "in ", "pieces"]), writer.write("two"), writer.write([])]);
    await writer.flush();
    expect(stream.read()).toBe("one in pieces\ntwo\n\n");
  });

  test("waits for a slow reader", async () => {
    const clock = new VirtualClock();
    const stream = slowStream();
    const writer = new LineWriter(stream, clock);
    let isWritten = false;
    void writer.write("a line that is long").then(() => (isWritten = true));
    await clock.settle();
    expect(isWritten).toBe(false);
    expect(stream.read()).toBe("a line that is long\n");
    await clock.settle();
    expect(isWritten).toBe(true);
  });

  test("buffers a bounded number of lines for a reader that does not read, and counts the others", async () => {
    const stream = slowStream();
    const { writer, seen } = observe(stream);
    const lines = Array.from({ length: 5_000 }, (_, index) => writer.write(`line ${index}`));
    await new VirtualClock().settle();
    let text = "";
    stream.on("data", (chunk) => (text += String(chunk)));
    await Promise.all(lines);
    expect(text.split("\n")).toHaveLength(1_001);
    expect([writer.dropped, seen]).toEqual([4_000, ["recovered after 4000"]]);
  });

  // E2
  test.each(["ENOSPC", "EIO", "EPIPE", "EAGAIN"])(
    "drops and counts lines while writes fail: %s",
    async (code) => {
      const stream = new FailingStream();
      const { writer, seen } = observe(stream);
      await writer.write("one");
      stream.code = code;
      await Promise.all([writer.write("two"), writer.write(["th", "ree"]), writer.flush()]);
      // There is one report for the whole failure.
      expect([writer.dropped, seen]).toEqual([2, [code]]);
      expect(writer.failure).toEqual({ code, isReaderGone: code === "EPIPE" });
      stream.code = undefined;
      await writer.write("four");
      await writer.write("five");
      expect(stream.text.replace("\n\n", "\n")).toBe("one\nfour\nfive\n");
      expect([writer.failure, seen]).toEqual([undefined, [code, "recovered after 2"]]);
    },
  );

  test("ends a truncated line before it writes the next one", async () => {
    const stream = new FailingStream();
    const { writer } = observe(stream);
    const cutOff = function* () {
      yield '{"a":';
      yield "1";
      stream.code = "ENOSPC";
      yield "}";
    };
    await writer.write(cutOff());
    stream.code = undefined;
    await writer.write("{}");
    expect(stream.text).toBe('{"a":\n{}\n');
  });

  test("drops lines written to a destroyed stream", async () => {
    const stream = new PassThrough();
    const { writer, seen } = observe(stream);
    stream.destroy();
    await writer.write("one");
    await writer.flush();
    expect([writer.failure?.isReaderGone, seen]).toEqual([true, ["ERR_STREAM_DESTROYED"]]);
  });
});
