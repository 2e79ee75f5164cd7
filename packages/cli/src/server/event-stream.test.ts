import { expect, test } from "vitest";
import { serveHub } from "../../test/served-hub.ts";
import { sendEvents } from "./event-stream.ts";
import type { ResponseWriter } from "./sending/response-writer.ts";
import { TopologyDocuments } from "./topology-documents.ts";

/** A client that accepts one write at a time, when the test lets it. */
function createSlowWriter() {
  let text = "";
  let goOn = Promise.withResolvers<void>();
  const writer: Pick<ResponseWriter, "write" | "end" | "disconnect" | "isGone"> = {
    isGone: false,
    async write(piece) {
      text += String(Buffer.from(piece as Uint8Array));
      await goOn.promise;
      return true;
    },
    end: async () => {},
    disconnect: () => {},
  };
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has the same methods, without a socket
    writer: writer as ResponseWriter,
    /** Returns the kinds of the events written until further writes have to wait. */
    takeOne(): void {
      const before = goOn;
      goOn = Promise.withResolvers();
      before.resolve();
    },
    get events(): readonly string[] {
      return Array.from(text.matchAll(/^event: (.*)$/gm), ([, name]) => name!);
    },
  };
}

test("a client that is too far behind for the log receives the whole state again, followed by later events", async () => {
  await using served = await serveHub({ retainedEvents: 3 });
  const { view, clock } = served;
  await served.set("a");
  const stop = new AbortController();
  const progress: number[] = [];
  const client = createSlowWriter();
  const sending = sendEvents({
    view,
    clock,
    documents: new TopologyDocuments({ clock, maxBytes: 1_000_000 }),
    writer: client.writer,
    from: undefined,
    keepAliveMs: 15_000,
    onProgress: (seqNo) => void progress.push(seqNo),
    signal: stop.signal,
  });
  const until = async (count: number) => {
    while (client.events.length < count) {
      client.takeOne();
      await clock.settle();
    }
    // This is the last write of the event.
    for (let write = 0; write < 4 && client.events.length === count; write++) {
      client.takeOne();
      await clock.settle();
    }
  };
  await until(1);
  await served.set("b");
  // The client has received "b", but not its end, while more events occur than the log retains.
  await clock.settle();
  for (const id of ["c", "d", "e", "f"]) await served.set(id);
  await until(3);
  await served.set("g");
  await until(4);
  expect(client.events).toEqual(["state", "snapshot", "state", "snapshot"]);
  expect(progress).toEqual([2, 3, 7, 8]);
  stop.abort();
  client.takeOne();
  await sending;
});
