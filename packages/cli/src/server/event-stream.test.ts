import { expect, test } from "vitest";
import { serveHub } from "../testing/served-hub.ts";
import { toEventStream } from "./event-stream.ts";

test("a client that fell behind what the log retains gets the whole state again, and then what follows it", async () => {
  await using served = await serveHub({ retainedEvents: 3 });
  await served.set("a");
  const stop = new AbortController();
  const progress: number[] = [];
  const frames = toEventStream({
    view: served.view,
    from: undefined,
    clock: served.clock,
    keepAliveMs: 15_000,
    onProgress: (seqNo) => void progress.push(seqNo),
    signal: stop.signal,
  });
  const next = async () => /^event: (.*)$/m.exec((await frames.next()).value ?? "")?.[1];
  expect(await next()).toBeUndefined(); // retry
  expect(await next()).toBe("state");
  await served.set("b");
  expect(await next()).toBe("snapshot");
  for (const id of ["c", "d", "e", "f"]) await served.set(id);
  expect(await next()).toBe("state");
  await served.set("g");
  expect(await next()).toBe("snapshot");
  expect(progress).toEqual([2, 3, 7, 8]);
  stop.abort();
  expect(await frames.next()).toEqual({ done: true, value: undefined });
});
