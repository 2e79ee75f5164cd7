import type { ProviderSnapshot } from "@holdfast/core";
import { createEndpoints } from "../src/create-endpoints.ts";
import type { EndpointsOptions } from "../src/endpoints-options.ts";
import type { EndpointsState } from "../src/endpoints-state.ts";
import type { Endpoints } from "../src/endpoints.ts";
import type { PickedCall, Picker } from "../src/picking/picker.ts";
import type { PickStrategyFactory } from "../src/picking/target.ts";
import type { SimulatedWorld } from "./simulated-world.ts";

export const EJECT_MS = 2_000;
export const MAX_EJECT_MS = 8_000;
export const MAX_EJECTED_SHARE = 0.4;
export const PANIC_SHARE = 0.5;

export interface ClientSetup {
  readonly name: string;
  readonly strategy: PickStrategyFactory;
  readonly options?: Partial<EndpointsOptions> | undefined;
  readonly isBlocking?: boolean | undefined;
}

/** A client that makes calls all the time, and checks every pick against the world. */
export class SimulatedClient {
  readonly name: string;
  readonly endpoints: Endpoints;
  readonly calls: Map<string, number> = new Map();
  readonly #world: SimulatedWorld;
  readonly #picker: Picker;
  readonly #probes: Map<string, number> = new Map();
  #reported: EndpointsState;
  failures = 0;

  constructor(world: SimulatedWorld, { name, strategy, options, isBlocking = false }: ClientSetup) {
    this.name = name;
    this.#world = world;
    const { clock, random, topology } = world;
    this.endpoints = createEndpoints({
      topology: topology.hub,
      clock,
      random,
      panicShare: PANIC_SHARE,
      keepUnavailableMs: 3_000,
      ejection: { ejectMs: EJECT_MS, maxEjectMs: MAX_EJECT_MS, maxShare: MAX_EJECTED_SHARE, windowMs: 2_000 },
      ...(isBlocking && { blocks: topology.hub }),
      ...options,
    });
    this.#picker = this.endpoints.picker(strategy);
    this.#reported = this.endpoints.state;
    this.endpoints.onChange((state) => {
      this.#reported = state;
    });
  }

  /** One call, which ends after the latency of the server. */
  call(key: string): void {
    const call = this.#picker.pick({ key });
    this.#check(call);
    if (call === undefined) return;
    const { id } = call.endpoint.node;
    const server = this.#world.serverOf(id);
    this.calls.set(id, (this.calls.get(id) ?? 0) + 1);
    const isProbe = call.endpoint.standing === "probing";
    if (isProbe) this.#probes.set(id, (this.#probes.get(id) ?? 0) + 1);
    const isFailure = this.#world.random() < server.failing;
    this.#world.clock.schedule(server.latencyMs, () => {
      if (isProbe) this.#probes.set(id, this.#probes.get(id)! - 1);
      if (isFailure) this.failures++;
      call.done(isFailure ? "failure" : "success");
    });
  }

  /** What has to hold for every pick. */
  #check(call: PickedCall | undefined): void {
    const { state } = this.endpoints;
    if (call === undefined) {
      const isProbingOnly = state.endpoints.every(({ standing }) => standing === "probing");
      this.#assert(state.refusal !== undefined || isProbingOnly, "nothing was picked");
      return;
    }
    const { node, standing } = call.endpoint;
    const snapshot = this.#world.topology.hub.state.snapshot!;
    this.#assert(state.isUsable, "picked although it is not usable");
    this.#assert(state.endpoints.includes(call.endpoint), "picked what is not an endpoint");
    this.#assert(snapshot.members.get(node.id) === node, "picked what is not a member");
    this.#assert(!snapshot.blockedNodes.includes(node.id), "picked a blocked member");
    this.#assert(node.weight !== 0, "picked a drained member");
    if (snapshot.retained?.includes(node.id) === true) {
      this.#assert(standing !== "healthy", "a retained member counts as healthy");
      this.#assert(isRetainedNeeded(snapshot), "picked a retained member without need");
    }
    this.#assert(standing !== "ejected" || state.isPanicking, "picked an ejected member without need");
    this.#assert(
      standing !== "probing" || (this.#probes.get(node.id) ?? 0) === 0,
      "picked a probed member for two calls at once",
    );
  }

  /** What has to hold after every step. */
  checkState(): void {
    const { state } = this.endpoints;
    const reported = this.#reported;
    const isReported =
      reported.newCalls === state.newCalls &&
      reported.status === state.status &&
      reported.isStale === state.isStale &&
      reported.endpoints === state.endpoints;
    this.#assert(isReported, "the listeners do not know the current state");
    this.#assert(
      state.isUsable === (state.refusal === undefined),
      "unusable without a reason, or the reverse",
    );
    this.#assert(state.reason.length > 0, "there is no reason");
    const isUnknown = state.status === "starting" || state.status === "unavailable";
    this.#assert(!isUnknown || state.refusal?.code !== "TOPOLOGY_EMPTY", "unknown became empty");
    const { members, used, ...leftOut } = state.counts;
    const sum = Object.values(leftOut).reduce((total, count) => total + count, used);
    this.#assert(sum === members, "a member is not counted once");
    this.#checkEjected();
  }

  #checkEjected(): void {
    const { state } = this.endpoints;
    const members = [...(this.#world.topology.hub.state.snapshot?.members ?? [])];
    const explained = members.map(({ id }) => this.endpoints.explain(id));
    const used = explained.filter(({ isUsed }) => isUsed).length;
    this.#assert(
      used === (state.isUsable ? state.endpoints.length : 0),
      "explain disagrees with the endpoints",
    );
    const ejected = explained.filter(({ returnsInMs }) => returnsInMs !== undefined);
    // Those that are used, or would be in another zone, and the ejected ones that are not.
    const others = ejected.filter(({ endpoint }) => endpoint === undefined).length;
    const inPlay = state.counts.used + state.counts.otherZone + others;
    const limit = Math.max(1, Math.floor(inPlay * MAX_EJECTED_SHARE));
    this.#assert(ejected.length <= limit, `${ejected.length} of ${inPlay} members are ejected`);
  }

  /** `expect` would take most of the time of the simulation. */
  #assert(isTrue: boolean, otherwise: string): void {
    if (!isTrue) throw new Error(`${this.name}: ${otherwise}; ${this.endpoints.state.reason}`);
  }
}

function isRetainedNeeded({ members, retained = [], blockedNodes }: ProviderSnapshot): boolean {
  const weighted = [...members].filter(({ weight }) => weight !== 0);
  const listed = weighted.filter(({ id }) => !retained.includes(id) && !blockedNodes.includes(id));
  return listed.length < PANIC_SHARE * weighted.length;
}
