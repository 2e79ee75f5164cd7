import { setTimeout as sleep } from "node:timers/promises";
import { ContenderProcess } from "./contender-process.ts";
import { CONTENDERS, type ContenderName } from "./contender.ts";
import { CountingProxy } from "./counting-proxy.ts";
import type { BenchBackend } from "./bench-backend.ts";

/** Counts the requests per minute of each contender while nothing changes. All contenders run at the same time. */
export async function countIdleRequests(
  backend: BenchBackend,
  members: number,
  durationMs: number,
): Promise<ReadonlyMap<ContenderName, number>> {
  await using stack = new AsyncDisposableStack();
  const proxies = new Map<ContenderName, CountingProxy>();
  for (const name of CONTENDERS) {
    const proxy = stack.use(await CountingProxy.listen(backend.origin));
    const contender = stack.use(new ContenderProcess(name, await backend.through(proxy.url)));
    await contender.seen((seen) => seen.members === members);
    proxies.set(name, proxy);
  }
  // The requests that start the watch are not counted.
  await sleep(1_000);
  for (const proxy of proxies.values()) proxy.requests = 0;
  await sleep(durationMs);
  return new Map([...proxies].map(([name, proxy]) => [name, (proxy.requests * 60_000) / durationMs]));
}
