import {
  createClusterNode,
  type ClusterNode,
  type ClusterProvider,
  type ProvisioningError,
  type TopologyEvent,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { WatchHub } from "../src/watch-hub.ts";
import type { WatchHubOptions } from "../src/watch-hub-options.ts";

export const node = (id: string, host = `${id}.local`): ClusterNode =>
  createClusterNode({ id, host, port: 80 });

/** Failover over one provider. */
export const sourceOf = (clock: VirtualClock, provider: ClusterProvider): Failover =>
  new Failover({ providers: [provider], clock, random: () => 0.5 });

export interface RunningHub {
  readonly clock: VirtualClock;
  readonly primary: MemoryProvider;
  readonly backup: MemoryProvider;
  readonly failover: Failover;
  readonly hub: WatchHub;
  readonly events: TopologyEvent[];
  readonly errors: readonly ProvisioningError[];
  /** Removes and describes the events since the last call, except changes of health. Blocked nodes have a minus sign. */
  readonly takeEvents: () => readonly string[];
}

/** A running hub over two memory providers, both with the members `a` and `b`. */
export async function createRunningHub(options: Partial<WatchHubOptions> = {}): Promise<RunningHub> {
  const clock = new VirtualClock();
  const random = createSeededRandom(7);
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: [node("a"), node("b")] });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: [node("a"), node("b")] });
  // Most tests change only the primary.
  const guards = { massRemoval: false } as const;
  const failover = new Failover({ providers: [primary, backup], clock, random, guards });
  const errors: ProvisioningError[] = [];
  const hub = new WatchHub({
    source: failover,
    clock,
    random,
    onError: (error) => errors.push(error),
    ...options,
  });
  const events: TopologyEvent[] = [];
  hub.onEvent((event) => events.push(event));
  const takeEvents = () =>
    events.splice(0).flatMap((event) => {
      if (event.kind === "snapshot") {
        const blocked = event.snapshot.blockedNodes.map((id) => ` -${id}`).join("");
        return [...event.snapshot.members].map(({ id }) => id).join(",") + blocked;
      }
      if (event.kind === "status_changed") return event.to;
      if (event.kind === "provider_changed") return `${event.from}>${event.to}`;
      if (event.kind === "stream_terminated") return `${event.providerId} ended`;
      return [];
    });
  hub.start();
  await clock.settle();
  return { clock, primary, backup, failover, hub, events, takeEvents, errors };
}
