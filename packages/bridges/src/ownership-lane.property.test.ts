import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  MemberSet,
  sleep,
  type ProviderId,
  type TopologyEvent,
  type TopologyStatus,
  type SnapshotTick,
} from "@holdfast/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OwnershipLane } from "./ownership-lane.ts";
import { RecordingPorts, type RecordedCall } from "../test/recording-ports.ts";
import { nodes, ScriptedHub } from "../test/scripted-hub.ts";

type Step =
  | { readonly do: "snapshot"; readonly names: readonly string[] }
  | { readonly do: "switch" | "terminate" }
  | { readonly do: "status"; readonly to: TopologyStatus }
  | { readonly do: "wait"; readonly ms: number };

/** How a port handles one call: after a delay or at once, with success or failure. */
interface Behaviour {
  readonly afterMs: number | undefined;
  readonly fails: boolean;
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("snapshot" as const),
      names: fc.subarray(["a", "b", "c", "d@2", "e"]),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("switch" as const, "terminate" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("status" as const),
      to: fc.constantFrom<TopologyStatus>("ready", "degraded", "unavailable", "empty"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(400) }) },
);

const anyBehaviour: fc.Arbitrary<Behaviour> = fc.record({
  afterMs: fc.option(fc.nat(300), { nil: undefined }),
  fails: fc.boolean(),
});

async function runSteps(steps: readonly Step[], behaviours: readonly Behaviour[], seed: number) {
  const clock = new VirtualClock();
  const source = new ScriptedHub(clock);
  const log: TopologyEvent[] = [];
  source.onEvent((event) => log.push(event));
  const ports = new RecordingPorts();
  let running = 0;
  let mostRunning = 0;
  let next = 0;
  ports.behave = async () => {
    mostRunning = Math.max(mostRunning, ++running);
    try {
      const { afterMs, fails } = behaviours[next++] ?? { afterMs: undefined, fails: false };
      if (afterMs !== undefined) await sleep(afterMs, { clock });
      if (fails) throw new Error("busy");
    } finally {
      running--;
    }
  };
  const lane = new OwnershipLane({
    source,
    placement: ports.placement,
    partition: ports.partition,
    clock,
    random: createSeededRandom(seed),
    // Practically unlimited. Other tests cover what happens when a call is given up.
    calls: { tries: 1_000, timeoutMs: 3_600_000 },
    onError: (error) => void ports.errors.push(error),
  });
  let provider: ProviderId = "primary";
  for (const step of steps) {
    if (step.do === "snapshot") source.snapshot(nodes(...step.names), provider);
    else if (step.do === "status") source.status(step.to);
    else if (step.do === "terminate") source.streamTerminated(provider);
    else if (step.do === "wait") await clock.advance(step.ms);
    else {
      const from = provider;
      provider = from === "primary" ? "backup" : "primary";
      source.providerChanged(from, provider);
    }
  }
  await clock.advance(3_600_000);
  expect(mostRunning).toBeLessThanOrEqual(1);
  return { clock, source, ports, lane, log };
}

const isSnapshot = ({ name }: RecordedCall) => name.endsWith(".applySnapshot");
const isNotice = ({ name }: RecordedCall) => name.endsWith(".notify");

test("any log reaches both ports in order, with every notice and consistent deltas and leases, however the ports behave", async () => {
  // R3.1, R3.3, R3.4
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { maxLength: 40, size: "max" }),
      fc.array(anyBehaviour, { maxLength: 60, size: "max" }),
      fc.nat(),
      async (steps, behaviours, seed) => {
        const { clock, source, ports, log } = await runSteps(steps, behaviours, seed);
        const { started, acknowledged } = ports;

        // Neither port ever receives anything after something later, also not when a call is repeated.
        for (let i = 1; i < started.length; i++) {
          expect(started[i]!.seqNo).toBeGreaterThanOrEqual(started[i - 1]!.seqNo);
        }

        for (const port of ["partition", "placement"]) {
          const seen = acknowledged.filter(({ name }) => name.startsWith(port));
          const ticks = seen.filter(({ name }) => name !== "partition.publishLeases");
          const numbers = ticks.map(({ seqNo }) => seqNo);
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));

          // Every notice is acknowledged once, and at least the newest snapshot.
          const notices = seen.filter(isNotice).map(({ argument }) => argument);
          expect(notices).toEqual(log.filter(({ kind }) => kind !== "snapshot"));
          const last = seen.findLast(isSnapshot)?.argument as SnapshotTick | undefined;
          expect(last?.snapshot).toBe(source.state.snapshot);

          // A provider's content comes after the notice that this provider is active, and the deltas add up.
          let provider: ProviderId = "primary";
          let members = MemberSet.empty;
          for (const { argument } of ticks) {
            if ("kind" in argument) {
              if (argument.kind === "provider_changed") provider = argument.to;
              continue;
            }
            const { snapshot, delta } = argument as SnapshotTick;
            expect(snapshot.providerId).toBe(provider);
            members = members.apply({
              upsert: [...delta.added, ...delta.updated.map(({ after }) => after)],
              remove: delta.removed.map(({ id }) => id),
            });
            expect(members.toArray()).toEqual(snapshot.members.toArray());
          }
        }

        // When ownership changes, its leases reach Partition before either port receives anything later.
        acknowledged.forEach((call, i) => {
          if (call.name === "placement.applySnapshot") {
            expect(acknowledged[i - 1]).toMatchObject({ name: "partition.applySnapshot", seqNo: call.seqNo });
            expect(acknowledged[i + 1]).toMatchObject({ name: "partition.publishLeases", seqNo: call.seqNo });
          }
        });
        expect(clock.pendingTimers).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});
