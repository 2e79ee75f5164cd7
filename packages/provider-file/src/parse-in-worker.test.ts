import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { MemberSet, type ClusterNodeInput } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { InvalidTopologyError } from "./invalid-topology-error.ts";
import { parseInWorker } from "./parse-in-worker.ts";
import type { ParseTask } from "./parse-worker.ts";
import { toJson } from "../test/topology-json.ts";
import { inTime } from "../test/watch-recorder.ts";

const { signal } = new AbortController();
const previous = MemberSet.empty;

describe("parseInWorker", () => {
  test("returns every member once, sorted by id, across batches", async () => {
    const members = Array.from({ length: 2_500 }, (_, index) => node((index * 7) % 2_500));
    const nodes = await inTime(parseInWorker(task(toJson(members)), { previous, signal }));
    expect(nodes.map(({ id }) => id)).toEqual(members.map(({ id }) => id).sort());
    expect(nodes[1]).toEqual({ ...node(1), zone: undefined, weight: undefined, tags: ["a", "b"] });
  });

  test("unchanged members are the same objects", async () => {
    const before = MemberSet.from(
      await inTime(parseInWorker(task(toJson([node(1), node(2)])), { previous, signal })),
    );
    const changed = toJson([node(2), { ...node(1), port: 81 }, node(3)]);
    const nodes = await inTime(parseInWorker(task(changed), { previous: before, signal }));
    expect(nodes.map(({ port }) => port)).toEqual([81, 80, 80]);
    expect(nodes[1]).toBe(before.get("node-0002"));
  });

  test("a file without members returns none", async () => {
    expect(await inTime(parseInWorker(task(toJson([])), { previous, signal }))).toEqual([]);
  });

  test("reads YAML", async () => {
    const yaml = "members:\n  - { id: a, host: 10.0.0.1, port: 80, tags: [x] }\n";
    const nodes = await inTime(parseInWorker(task(yaml, "yaml"), { previous, signal }));
    expect(nodes).toMatchObject([{ id: "a", host: "10.0.0.1", port: 80, tags: ["x"] }]);
  });

  test("names the problems of an invalid file", async () => {
    const bad = parseInWorker(task('{"members": [{"id": "a"}]}'), { previous, signal });
    await expect(bad).rejects.toMatchObject({
      problems: [{ path: "members[0].host" }, { path: "members[0].port" }],
    });
    const cut = parseInWorker(task("members: [", "yaml"), { previous, signal });
    await expect(cut).rejects.toMatchObject({ position: { line: 1, column: 11 } });
    await expect(cut).rejects.toBeInstanceOf(InvalidTopologyError);
  });

  test("stops the thread when it is done", async () => {
    const { worker, work } = await start(task(toJson([node(1)])), signal);
    await inTime(Promise.all([work, once(worker, "exit")]));
  });

  test("stops the thread at once when the signal aborts", async () => {
    const controller = new AbortController();
    const { worker, work } = await start(task(toJson([node(1)])), controller.signal);
    const exit = once(worker, "exit");
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await inTime(exit);
  });

  test("rejects when the thread ends before it has replied", async () => {
    const { worker, work } = await start(task(toJson([node(1)])), signal);
    const [, failure] = await inTime(
      Promise.all([worker.terminate(), work.catch((error: unknown) => error)]),
    );
    expect(failure).toEqual(new Error("the parser's thread ended early"));
  });
});

function node(index: number): ClusterNodeInput {
  return {
    id: `node-${String(index).padStart(4, "0")}`,
    host: "10.0.0.1",
    port: 80,
    tags: ["b", "a"],
    metadata: { rack: String(index) },
  };
}

function task(text: string, format: ParseTask["format"] = "json"): ParseTask {
  return { bytes: new TextEncoder().encode(text), format };
}

async function start(given: ParseTask, abort: AbortSignal) {
  const started = once(process, "worker");
  const work = parseInWorker(given, { previous, signal: abort });
  work.catch(() => undefined); // some tests await it later
  const [worker] = (await inTime(started)) as [Worker];
  return { worker, work };
}
