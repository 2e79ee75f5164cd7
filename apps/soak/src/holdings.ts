import { existsSync, readdirSync } from "node:fs";
import type { ListenerCensus } from "./listener-census.ts";
import type { Holdings } from "./sample.ts";
import { Tally } from "./tally.ts";

const DESCRIPTORS = "/proc/self/fd";

/** What this process holds. Collects garbage first, so it takes a while; needs `--expose-gc`. */
export function measureHoldings(census: ListenerCensus): Holdings {
  if (globalThis.gc === undefined) throw new Error("the soaked process runs without --expose-gc");
  // What the first collection finalises the second one frees.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    rssBytes: rss,
    // One is the folder's, read just now.
    descriptors: existsSync(DESCRIPTORS) ? readdirSync(DESCRIPTORS).length - 1 : 0,
    resources: countResources(),
    listeners: census.count(),
  };
}

/** What keeps the event loop of this process busy: kind → how many. */
export function countResources(): Readonly<Record<string, number>> {
  const tally = new Tally();
  for (const kind of process.getActiveResourcesInfo()) tally.add(kind);
  return tally.counts();
}
