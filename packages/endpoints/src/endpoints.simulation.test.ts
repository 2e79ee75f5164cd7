import { describe, expect, inject, test } from "vitest";
import { MAX_EJECT_MS, SimulatedClient, type ClientSetup } from "../test/simulated-client.ts";
import { SimulatedWorld } from "../test/simulated-world.ts";
import { byKey } from "./picking/by-key.ts";
import { leastInFlight } from "./picking/least-in-flight.ts";
import { roundRobin } from "./picking/round-robin.ts";

const CLIENTS: readonly ClientSetup[] = [
  { name: "round robin", strategy: roundRobin() },
  { name: "least in flight", strategy: leastInFlight() },
  { name: "by key", strategy: byKey() },
  { name: "zone", strategy: roundRobin(), options: { zone: "a" } },
  { name: "subset", strategy: leastInFlight(), options: { subset: { size: 6, clientId: "one" } } },
  {
    name: "zone and subset",
    strategy: roundRobin(),
    options: { zone: "b", subset: { size: 3, clientId: "two" } },
  },
  { name: "slow start", strategy: leastInFlight(), options: { slowStart: { rampMs: 2_000 } } },
  { name: "blocking", strategy: roundRobin(), isBlocking: true },
];

const STEP_MS = 100;

/** Runs the world with its clients for a number of steps. */
async function run(
  world: SimulatedWorld,
  clients: readonly SimulatedClient[],
  steps: number,
  isQuiet: boolean,
) {
  for (let step = 0; step < steps; step++) {
    if (!isQuiet && world.random() < 0.4) world.happen();
    for (const client of clients) {
      for (let i = 0; i < 6; i++) client.call(`key-${Math.floor(world.random() * 2_000)}`);
    }
    await world.clock.advance(STEP_MS);
    for (const client of clients) client.checkState();
    if (isQuiet) world.topology.confirm();
  }
}

/** The lowest and highest share of the calls that an endpoint may get, in parts of its share of the weights. */
function boundsOf(name: string): readonly [number, number] {
  // Few keys are spread unevenly, choices at random vary, and turns are exact.
  if (name === "by key") return [0, 3];
  return ["least in flight", "subset", "slow start"].includes(name) ? [0.3, 1.8] : [0.9, 1.1];
}

/** After all faults have ended, every member is used again, and gets its share. */
async function expectRecovery(world: SimulatedWorld, clients: readonly SimulatedClient[]): Promise<void> {
  world.heal();
  const recoverySteps = (3 * MAX_EJECT_MS) / STEP_MS;
  await run(world, clients, recoverySteps, true);
  for (const { calls } of clients) calls.clear();
  const steps = 100;
  // Two calls, because the calls begin and end within a turn.
  const slack = 2 / (steps * 6);
  await run(world, clients, steps, true);
  for (const { name, endpoints, calls } of clients) {
    const { state } = endpoints;
    expect(state, name).toMatchObject({ isUsable: true, counts: { ejected: 0, blocked: 0, retained: 0 } });
    const total = state.endpoints.reduce((sum, { weight }) => sum + weight, 0);
    for (const { node, weight, standing } of state.endpoints) {
      expect(standing, `${name}: ${node.id}`).toBe("healthy");
      const share = (calls.get(node.id) ?? 0) / (steps * 6);
      const expected = weight / total;
      const [lowest, highest] = boundsOf(name);
      expect(share, `${name}: ${node.id} gets calls`).toBeGreaterThan(lowest * expected - slack);
      expect(share, `${name}: ${node.id} gets calls`).toBeLessThan(highest * expected + slack);
    }
  }
}

describe("many clients of servers that fail, are slow, come and go", () => {
  const seeds = inject("isLong") ? 200 : 6;
  test.each(Array.from({ length: seeds }, (_, seed) => seed))("seed %i", async (seed) => {
    // R8.1 R8.3
    const world = new SimulatedWorld(seed);
    const clients = CLIENTS.map((setup) => new SimulatedClient(world, setup));
    world.publish();
    await run(world, clients, 150, false);
    await expectRecovery(world, clients);
    for (const { endpoints } of clients) endpoints.close();
    await world.clock.advance(1_000);
    world.topology.confirm();
    expect(world.clock.pendingTimers).toBe(0);
    expect(world.topology.hub.state.snapshot!.blockedNodes).toEqual([]);
  });
});
