import { MemberSet } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { createPayload } from "./payload.ts";
import { DirectProvider, Pipeline } from "./pipeline.ts";
import type { Figure } from "./measure.ts";

function collect(): number {
  if (globalThis.gc === undefined) throw new Error("start node with --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

async function held(count: number): Promise<number> {
  const before = collect();
  const read = createNodeReader();
  let { members: entries } = JSON.parse(createPayload({ members: count })) as { members: unknown[] };
  const provider = new DirectProvider("direct", 1, MemberSet.from(entries.map((entry) => read(entry))));
  entries = [];
  await using pipeline = new Pipeline([provider]);
  pipeline.start();
  await pipeline.until((all) => all.remoteEvents === count);
  return collect() - before;
}

/**
 * Measures the heap that provider, failover, log and bridges hold together for each member after all ports have
 * received the members and garbage was collected.
 */
export async function benchHeldMemory(members: number): Promise<readonly Figure[]> {
  // The first run warms up. The cost of a cluster with one member is subtracted.
  await held(1);
  const value = ((await held(members)) - (await held(1))) / members;
  return [
    { name: "held per member", members, value, unit: "bytes", goal: "< 400 bytes", isMet: value < 400 },
  ];
}
