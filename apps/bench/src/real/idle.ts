import { setTimeout as sleep } from "node:timers/promises";
import { ContenderProcess } from "./contender-process.ts";
import { CONTENDERS, type ContenderName } from "./contender.ts";
import { CountingProxy } from "./counting-proxy.ts";
import type { Scenery } from "./scenery.ts";

/** Requests a minute of each contender while nothing changes, all of them over the same time. */
export async function countIdleRequests(
  scenery: Scenery,
  members: number,
  lastsMs: number,
): Promise<ReadonlyMap<ContenderName, number>> {
  await using stack = new AsyncDisposableStack();
  const proxies = new Map<ContenderName, CountingProxy>();
  for (const name of CONTENDERS) {
    const proxy = stack.use(await CountingProxy.listen(scenery.origin));
    const contender = stack.use(new ContenderProcess(name, await scenery.through(proxy.url)));
    await contender.seen((seen) => seen.members === members);
    proxies.set(name, proxy);
  }
  // What begins the watch is not idle.
  await sleep(1_000);
  for (const proxy of proxies.values()) proxy.requests = 0;
  await sleep(lastsMs);
  return new Map([...proxies].map(([name, proxy]) => [name, (proxy.requests * 60_000) / lastsMs]));
}
