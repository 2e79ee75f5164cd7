import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { LineWriter } from "../output/line-writer.ts";
import { createPaint } from "../output/paint.ts";
import { serveHub } from "../../test/served-hub.ts";
import { DaemonOutput } from "./daemon-output.ts";
import { printLog } from "./print-log.ts";

const paint = createPaint({ isTty: false, env: {} });

describe("printLog", () => {
  test("prints every event, also earlier ones, until its signal aborts", async () => {
    await using served = await serveHub();
    await served.set("a");
    const { clock, hub } = served;
    const stream = new PassThrough({ encoding: "utf8" });
    const writer = new LineWriter(stream, clock);
    const stop = new AbortController();
    const output = new DaemonOutput({ writer, paint, clock, isJson: true });
    const printing = printLog({ log: hub, topology: "default", output, signal: stop.signal });
    await served.set("b");
    hub.drain("stopped by the test");
    stop.abort();
    await printing;
    const lines = String(stream.read()).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { seqNo: number }).seqNo)).toEqual([1, 2, 3, 4]);
  });

  test("prints how many events a slow reader missed, and buffers none of them", async () => {
    await using served = await serveHub({ retainedEvents: 5 });
    await served.set("a");
    const { clock, hub } = served;
    const stream = new PassThrough({ highWaterMark: 1, encoding: "utf8" });
    const writer = new LineWriter(stream, clock);
    const stop = new AbortController();
    const output = new DaemonOutput({ writer, paint, clock, isJson: false });
    const printing = printLog({ log: hub, topology: "default", output, signal: stop.signal });
    for (let round = 0; round < 100; round++) await served.set(`n${round}`);
    expect(stream.readableLength + stream.writableLength).toBeLessThan(200);
    let text = "";
    stream.on("data", (chunk) => (text += String(chunk)));
    await clock.settle();
    await served.set("z");
    stop.abort();
    await printing;
    await writer.flush();
    const numbers = [...text.matchAll(/#(\d+) /g)].map(([, number]) => Number(number));
    const missed = Number(/(\d+) events were not printed/.exec(text)?.[1]);
    expect(numbers).toEqual([1, 103]);
    expect(missed).toBe(101);
  });
});
