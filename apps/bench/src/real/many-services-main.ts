// Follows many Services of one namespace in a separate process, so that its CPU time and memory can be measured. The parent sends the
// commands.
import { createSeededRandom } from "@holdfast/testing";
import { systemClock } from "@holdfast/core";
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
    }
  | { readonly type: "measure" };

export type ManyReport =
  /** All providers have all of their endpoints. The heap is that in addition to the heap before, after garbage collection. */
  | { readonly type: "complete"; readonly afterMs: number; readonly heldBytes: number }
  /** What happened since the last report of this type. */
  | { readonly type: "measured"; readonly cpuUs: number; readonly snapshots: number };

let cpuBefore = process.cpuUsage();
let snapshots = 0;

process.on("message", (command: ManyCommand) => {
  if (command.type === "follow") return follow(command);
  const { user, system } = process.cpuUsage(cpuBefore);
  report({ type: "measured", cpuUs: user + system, snapshots });
  cpuBefore = process.cpuUsage();
  snapshots = 0;
  return undefined;
});

function follow({
  way,
  params,
  services,
  endpoints,
}: Extract<ManyCommand, { readonly type: "follow" }>): void {
  const adapter = kubernetes.createAdapter();
  const context = { clock: systemClock, random: createSeededRandom(1), heartbeatMs: 5_000 };
  const before = collect();
  const startedAt = performance.now();
  const provide = (id: string, own: object) =>
    adapter.create(
      { id, kind: "kubernetes", priority: 1, params: adapter.params.parse({ ...params, ...own }) },
      context,
    );
  const providers =
    way === "selector"
      ? [provide("all", { selector: "kubernetes.io/service-name" })]
      : services.map((service) => provide(service, { service, watch: way }));
  const wanted = way === "selector" ? services.length * endpoints : endpoints;
  let missing = providers.length;
  const held: unknown[] = providers.map(() => undefined);
  const { signal } = new AbortController();
  for (const [i, provider] of providers.entries()) {
    void (async () => {
      let isComplete = false;
      for await (const event of provider.watch({ signal })) {
        if (event.type !== "snapshot") continue;
        snapshots++;
        // A consumer holds the last snapshot.
        held[i] = event.snapshot;
        if (isComplete || event.snapshot.members.size < wanted) continue;
        isComplete = true;
        if (--missing > 0) continue;
        const afterMs = performance.now() - startedAt;
        report({ type: "complete", afterMs, heldBytes: collect() - before });
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
