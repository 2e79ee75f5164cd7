import { createEndpoints } from "../src/create-endpoints.ts";
import type { EndpointsOptions } from "../src/endpoints-options.ts";
import type { EndpointsState } from "../src/endpoints-state.ts";
import type { Endpoints } from "../src/endpoints.ts";
import { ScriptedTopology } from "./scripted-topology.ts";

export interface Setup {
  readonly topology: ScriptedTopology;
  readonly endpoints: Endpoints;
  readonly changes: EndpointsState[];
}

export interface SetupOptions extends Partial<EndpointsOptions> {
  /** Ejected members are blocked in the topology. */
  readonly isBlocking?: boolean;
}

/** Endpoints of a topology that the test writes, and the states that they have reported. */
export function setUp({ isBlocking = false, ...options }: SetupOptions = {}): Setup {
  const topology = new ScriptedTopology();
  const { hub, clock } = topology;
  const blocks = isBlocking ? { blocks: hub } : {};
  const endpoints = createEndpoints({ topology: hub, clock, random: () => 0.5, ...blocks, ...options });
  const changes: EndpointsState[] = [];
  endpoints.onChange((state) => changes.push(state));
  return { topology, endpoints, changes };
}

export function idsOf({ endpoints }: EndpointsState): string[] {
  return endpoints.map((endpoint) => endpoint.node.id);
}
