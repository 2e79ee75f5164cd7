import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { sleep, type ProviderId, type TopologyStatus } from "@holdfast/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isEvents, RecordingPorts } from "../test/recording-ports.ts";
import { describeNode, RemoteReceiver } from "../test/remote-receiver.ts";
import { RemotingBridge } from "./remoting-bridge.ts";
import { nodes, ScriptedHub } from "../test/scripted-hub.ts";

const IDS = ["a", "b", "c", "d", "e"];

type Step =
  | { readonly do: "snapshot"; readonly addresses: readonly number[] }
  | { readonly do: "block"; readonly id: string }
  | { readonly do: "restore"; readonly id: string }
  | { readonly do: "refresh" }
  | { readonly do: "switch" }
  | { readonly do: "status"; readonly to: TopologyStatus }
  | { readonly do: "wait"; readonly ms: number };

/** The outcome of a call: how many of its events arrive, after what time, and whether the response is received. */
interface Behaviour {
  readonly afterMs: number | undefined;
  readonly arrives: number;
  readonly isAnswered: boolean;
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("snapshot" as const),
      addresses: fc.array(fc.nat(2), { minLength: IDS.length, maxLength: IDS.length }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("block" as const, "restore" as const),
      id: fc.constantFrom(...IDS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("refresh" as const, "switch" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("status" as const),
      to: fc.constantFrom<TopologyStatus>("ready", "ready", "degraded", "unavailable"),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(400) }) },
);

const anyBehaviour: fc.Arbitrary<Behaviour> = fc.record({
  afterMs: fc.option(fc.nat(300), { nil: undefined }),
  arrives: fc.nat(6),
  isAnswered: fc.boolean(),
});

test("the received events lead to the newest topology once it is ready, whatever fails before", async () => {
  // R4.1, R4.2, R4.3, R4.4
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { maxLength: 40, size: "max" }),
      fc.array(anyBehaviour, { maxLength: 60, size: "max" }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(6),
      fc.nat(),
      async (steps, behaviours, batchSize, lateBy, seed) => {
        const clock = new VirtualClock();
        const source = new ScriptedHub(clock);
        const ports = new RecordingPorts();
        const receiver = new RemoteReceiver();
        const faults: string[] = [];
        let next = 0;
        ports.behave = async ({ argument }) => {
          const { status } = source.state;
          const behaviour = behaviours[next++];
          const events = isEvents(argument) ? argument : [];
          if (status !== "ready" && events.some(({ kind }) => kind === "join")) {
            faults.push(`a join while ${status}`);
          }
          const arriving = events.slice(0, behaviour?.arrives);
          if (behaviour?.afterMs !== undefined) await sleep(behaviour.afterMs, { clock });
          for (const event of arriving) {
            try {
              receiver.receive(event);
            } catch (error) {
              faults.push(String(error));
            }
          }
          const isWhole = arriving.length === events.length;
          if (behaviour !== undefined && !(behaviour.isAnswered && isWhole)) throw new Error("no answer");
        };
        let provider: ProviderId = "primary";
        const run = async (step: Step) => {
          if (step.do === "wait") await clock.advance(step.ms);
          else if (step.do === "status") source.status(step.to);
          else if (step.do === "block") source.block(step.id);
          else if (step.do === "restore") source.restore(step.id);
          else if (step.do === "refresh") source.refresh();
          else if (step.do === "switch") {
            const from = provider;
            provider = from === "primary" ? "backup" : "primary";
            source.providerChanged(from, provider);
          } else {
            const names = step.addresses.flatMap((address, i) =>
              address === 0 ? [] : `${IDS[i]}@${address}`,
            );
            source.snapshot(nodes(...names), provider);
          }
        };
        for (const step of steps.slice(0, lateBy)) await run(step);
        const bridge = new RemotingBridge({
          source,
          blocks: source,
          port: ports.remoting,
          clock,
          random: createSeededRandom(seed),
          batchSize,
        });
        for (const step of steps.slice(lateBy)) await run(step);
        source.status("ready");
        await clock.advance(3_600_000);

        expect(faults).toEqual([]);
        const { members = [], blockedNodes = [] } = source.state.snapshot ?? {};
        const blocked = new Set(blockedNodes);
        expect(receiver.describe()).toEqual(
          [...members].map((node) => describeNode(node, blocked.has(node.id))),
        );
        expect([...bridge.nodes()].map(({ nodeId, state }) => `${nodeId} ${state}`)).toEqual(
          [...members].map(({ id }) => {
            const isRestoring = source.state.restoringNodes.includes(id);
            return `${id} ${!blocked.has(id) ? "up" : isRestoring ? "degraded" : "down"}`;
          }),
        );

        // A key always identifies the same event, and no event is sent after a later one, except when its own batch is
        // repeated.
        const batches = ports.started.map(({ argument }) => (isEvents(argument) ? argument : []));
        const byKey = new Map(batches.flat().map((event) => [event.key, event]));
        for (const batch of batches) for (const event of batch) expect(event).toEqual(byKey.get(event.key));
        const sent = ports.started.filter(({ argument }) => isEvents(argument)).map(({ seqNo }) => seqNo);
        expect(sent).toEqual(sent.toSorted((a, b) => a - b));
        // A parked notice is retried after later ones, but the first tries are in order.
        const numbers = [...new Set(ports.started.map(({ seqNo }) => seqNo))];
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect(clock.pendingTimers).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});
