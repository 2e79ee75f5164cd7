// Follows many Services of one namespace in a separate process, so that its CPU time and memory can be measured. The parent sends the
// commands.
import { createSeededRandom } from "@holdfast/testing";
import { sleep, systemClock } from "@holdfast/core";
import { kubernetes } from "@holdfast/provider-kubernetes";

/** `selector`: one provider reports the endpoints of all Services. It shows what one copy of the content costs. */
export type Way = "namespace" | "service" | "selector";

export type ManyCommand =
  | {
      readonly type: "follow";
      readonly way: Way;
      readonly params: Readonly<Record<string, unknown>>;
      readonly services: readonly string[];
      readonly endpoints: number;
      /** The parameters of a provider that is opened before the others. */
      readonly warmUp: Readonly<Record<string, unknown>>;
    }
  | { readonly type: "measure" };

export type ManyReport =
  /** All providers have all of their endpoints. */
  | { readonly type: "complete"; readonly afterMs: number }
  /** What happened since the last report of this type. The heap is that in addition to the heap before, after garbage collection. */
  | {
      readonly type: "measured";
      readonly cpuUs: number;
      readonly snapshots: number;
      readonly failures: number;
      readonly heldBytes: number;
    };

let cpuBefore = process.cpuUsage();
let snapshots = 0;
let failures = 0;
let heldBefore = 0;

process.on("message", (command: ManyCommand) => {
  if (command.type === "follow") {
    void follow(command);
    return;
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  report({ type: "measured", cpuUs: user + system, snapshots, failures, heldBytes: collect() - heldBefore });
  cpuBefore = process.cpuUsage();
  snapshots = 0;
  failures = 0;
});

async function follow(command: Extract<ManyCommand, { readonly type: "follow" }>): Promise<void> {
  const { way, params, services, endpoints, warmUp } = command;
  const adapter = kubernetes.createAdapter();
  const context = { clock: systemClock, random: createSeededRandom(1), heartbeatMs: 5_000 };
  const { signal } = new AbortController();
  const provide = (id: string, own: object) =>
    adapter.create(
      { id, kind: "kubernetes", priority: 1, params: adapter.params.parse({ ...params, ...own }) },
      context,
    );
  // Code and connections are not part of what Services hold.
  const warm = provide("warm-up", warmUp).watch({ signal })[Symbol.asyncIterator]();
  await warm.next();
  heldBefore = collect();
  const startedAt = performance.now();
  const providers =
    way === "selector"
      ? [provide("all", { selector: "kubernetes.io/service-name" })]
      : services.map((service) => provide(service, { service, watch: way }));
  const wanted = way === "selector" ? services.length * endpoints : endpoints;
  let missing = providers.length;
  const held: unknown[] = providers.map(() => undefined);
  for (const [i, provider] of providers.entries()) {
    void (async () => {
      let isComplete = false;
      for (;;) {
        try {
          for await (const event of provider.watch({ signal })) {
            if (event.type !== "snapshot") continue;
            snapshots++;
            // A consumer holds the last snapshot.
            held[i] = event.snapshot;
            if (isComplete || event.snapshot.members.size < wanted) continue;
            isComplete = true;
            if (--missing > 0) continue;
            const afterMs = performance.now() - startedAt;
            report({ type: "complete", afterMs });
          }
        } catch {
          // As failover does. A server may be too slow for a thousand lists at once.
          failures++;
          await sleep(context.random() * 2_000, { clock: systemClock });
        }
      }
    })();
  }
}

function collect(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function report(message: ManyReport): void {
  process.send?.(message);
}
