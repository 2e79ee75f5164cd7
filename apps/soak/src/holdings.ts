import { existsSync, readdirSync } from "node:fs";
import type { ListenerCensus } from "./listener-census.ts";
import type { Holdings } from "./sample.ts";
import { Tally } from "./tally.ts";

const DESCRIPTORS = "/proc/self/fd";

/**
 * Measures the resources that this process holds. Runs the garbage collector first, which takes some time and needs the
 * option `--expose-gc` of Node.
 */
export function measureHoldings(census: ListenerCensus): Holdings {
  if (globalThis.gc === undefined) throw new Error("the soaked process runs without --expose-gc");
  // The second collection frees what the first one finalised.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    rssBytes: rss,
    // One of them is the descriptor of the folder being read.
    descriptors: existsSync(DESCRIPTORS) ? readdirSync(DESCRIPTORS).length - 1 : 0,
    resources: countResources(),
    listeners: census.count(),
  };
}

/** Returns the resources that keep the event loop of this process alive: counts by kind. */
export function countResources(): Readonly<Record<string, number>> {
  const tally = new Tally();
  for (const kind of process.getActiveResourcesInfo()) tally.add(kind);
  return tally.counts();
}
