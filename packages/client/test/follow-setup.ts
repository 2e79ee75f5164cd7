import type { ClusterNodeInput, ProvisioningError, TopologyEvent } from "@holdfast/core";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { expect } from "vitest";
import type { Transport } from "../src/connection/transport.ts";
import { follow } from "../src/following/follow.ts";
import type { FollowOptions } from "../src/following/follow-options.ts";
import type { FollowedTopology } from "../src/following/followed-topology.ts";
import { FakeDaemon } from "./fake-daemon.ts";

export const node = (id: string, port = 80): ClusterNodeInput => ({ id, host: `${id}.test`, port });
export const nodes = (...ids: readonly string[]): readonly ClusterNodeInput[] => ids.map((id) => node(id));

export const idsOf = (members: Iterable<{ readonly id: string }> = []): string =>
  [...members].map(({ id }) => id).join(" ");

/** `Last-Event-ID` of each request; `-` where there was none. */
export const positionsOf = ({ requests }: FakeDaemon): readonly string[] =>
  requests.map(({ headers }) => headers["last-event-id"] ?? "-");

export interface FollowSetupOptions extends Partial<Omit<FollowOptions, "clock" | "topologies">> {
  readonly clock?: VirtualClock;
  /** @defaultValue 1 */
  readonly daemons?: number;
  readonly retainedEvents?: number;
  readonly topologies?: readonly string[];
}

export interface FollowSetup {
  readonly clock: VirtualClock;
  /** The first of the daemons. */
  readonly daemon: FakeDaemon;
  readonly daemons: readonly FakeDaemon[];
  readonly topology: FollowedTopology;
  readonly events: readonly TopologyEvent[];
  readonly warnings: readonly ProvisioningError[];
  /** Closes everything, and checks that nothing is left. */
  readonly end: () => Promise<void>;
}

/** A follower of one or two fake daemons, `http://one` and `http://two`. */
export function setUpFollow({
  daemons: count = 1,
  retainedEvents = 1_000,
  topologies,
  clock = new VirtualClock(),
  ...options
}: FollowSetupOptions = {}): FollowSetup {
  const names = ["one", "two"].slice(0, count);
  const daemons = names.map((instance) => new FakeDaemon({ clock, retainedEvents, topologies, instance }));
  const transport: Transport = (request) =>
    daemons[names.indexOf(new URL(request.url).hostname)]!.transport(request);
  const warnings: ProvisioningError[] = [];
  const topology = follow({
    url: names.map((name) => `http://${name}`),
    clock,
    random: createSeededRandom(3),
    transport,
    onWarning: (warning) => warnings.push(warning),
    ...options,
  });
  const events: TopologyEvent[] = [];
  topology.onEvent((event) => events.push(event));
  const end = async () => {
    await clock.until(topology.close(), 60_000);
    for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
    expect(daemons.map(({ openConnections }) => openConnections)).toEqual(names.map(() => 0));
    expect(clock.pendingTimers).toBe(0);
  };
  return { clock, daemon: daemons[0]!, daemons, topology, events, warnings, end };
}
