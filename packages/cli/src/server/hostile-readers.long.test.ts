import { describe, expect, test } from "vitest";
import { attackDaemon, toFigures, toVerdict } from "../../test/attacked-daemon.ts";

// R7.5 R7.6
describe("a daemon under attack by clients that only read", () => {
  test.each([
    ["pipelined /topology", "/topology"],
    ["pipelined /metrics", "/metrics"],
  ])("%s: 5 connections with 2,000 requests in one segment each, again and again", async (name, path) => {
    const options = { members: 1_000, heapMb: 384, changes: 10, followers: 3 };
    const result = await attackDaemon({ ...options, attack: (clients) => clients.pipelining(5, path) });
    console.log(name, toFigures(result));
    expect(toVerdict(result, options)).toEqual([]);
    expect(result.disconnected["pipelining"]).toBeGreaterThan(5);
  });

  test("every kind of client at the same time, with 10,000 members that all change 10 times", async () => {
    const options = { members: 10_000, heapMb: 384, changes: 10, followers: 5 };
    const result = await attackDaemon({
      ...options,
      attack: (clients) =>
        clients
          .stalled(60)
          .slow(20)
          .pipelining(5, "/topology")
          .pipelining(3, "/metrics")
          .flooding(20)
          .idle(60),
    });
    console.log("everything at once", toFigures(result));
    expect(toVerdict(result, options)).toEqual([]);
  });

  test("stalled readers, each of a different version of 100,000 members that all change", async () => {
    const options = { members: 100_000, heapMb: 1_024, changes: 12, followers: 1 };
    const result = await attackDaemon({
      ...options,
      // None of them keeps its slot for longer than one change.
      eachChange: (clients) => clients.stalled(5),
      attack: (clients) => clients,
    });
    console.log("100,000 members", toFigures(result));
    expect(toVerdict(result, options)).toEqual([]);
  });

  test("100 idle connections and slow headers leave enough of 64 descriptors for the provider", async () => {
    const options = { members: 1_000, heapMb: 128, changes: 5, followers: 2 };
    const result = await attackDaemon({
      ...options,
      descriptors: 64,
      attack: (clients) => clients.idle(100),
    });
    console.log("64 descriptors", toFigures(result));
    expect(toVerdict(result, options)).toEqual([]);
    expect(result.disconnected["idle"]).toBeGreaterThan(80);
  });
});
