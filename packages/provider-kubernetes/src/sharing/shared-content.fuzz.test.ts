import { fuzzRuns, VirtualClock } from "@holdfast/testing";
import { isSameNode, MemberSet, type ClusterNode } from "@holdfast/core";
import * as fc from "fast-check";
import { createNodeReader } from "@holdfast/core/adapter";
import { expect, test } from "vitest";
import { SLICES_BY_SERVICE } from "../endpoints/slice-form.ts";
import { SliceSet } from "../endpoints/slice-set.ts";
import { SliceView } from "../endpoints/slice-view.ts";
import { kubernetesParamsSchema, type KubernetesSettings } from "../kubernetes-params.ts";
import type { ReflectorStep } from "../watch/reflector-step.ts";
import { EndpointSliceReader } from "../wire/endpoint-slice-reader.ts";
import { objectKeyOf } from "../wire/object-key.ts";
import { ObjectCache } from "./object-cache.ts";
import { SharedContent } from "./shared-content.ts";
import { WatchUser } from "./watch-user.ts";

const readNode = createNodeReader();

const SERVICES = ["a", "b", "c", "d"];
const POSITION = { place: "here", version: "1", observedAt: 0, confirmedAt: 0 };

const endpoint = fc.record({
  addresses: fc.tuple(fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3")),
  targetRef: fc.option(fc.record({ name: fc.constantFrom("p", "q", "r", "s") }), { nil: undefined }),
  conditions: fc.record({
    ready: fc.constantFrom(true, false, null),
    serving: fc.constantFrom(true, false, null),
    terminating: fc.constantFrom(true, false),
  }),
});
const port = fc.record({ name: fc.constantFrom("http", "grpc"), port: fc.constantFrom(80, 90) });
const slice = fc.record({
  name: fc.integer({ min: 0, max: 7 }),
  service: fc.constantFrom(...SERVICES),
  addressType: fc.constantFrom("IPv4", "IPv6"),
  ports: fc.array(port, { minLength: 1, maxLength: 2 }),
  endpoints: fc.array(endpoint, { maxLength: 4 }),
});
type Given = typeof slice extends fc.Arbitrary<infer S> ? S : never;

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("put" as const), slice }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("delete" as const), name: fc.integer({ min: 0, max: 7 }) }),
  },
  // A version that expires, while the objects change to these.
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("relist" as const), slices: fc.array(slice, { maxLength: 6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("join" as const), service: fc.constantFrom(...SERVICES) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("leave" as const), index: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("wait" as const), ms: fc.constantFrom(10, 300) }) },
);
const params = fc.record({
  port: fc.constantFrom(undefined, "http", 90),
  conditions: fc.constantFrom("ready" as const, "serving" as const),
  nodeId: fc.constantFrom("pod" as const, "address" as const),
  settleMs: fc.constantFrom(0, 300),
});

function toObject({ name, service, ...rest }: Given): object {
  const labels = { "kubernetes.io/service-name": service };
  return { metadata: { name: `s${name}`, namespace: "n", labels, resourceVersion: "1" }, ...rest };
}

/** The members of a Service, computed from all of its slices at once. */
function recompute(objects: Iterable<Given>, service: string, settings: KubernetesSettings): MemberSet {
  const reader = new EndpointSliceReader(settings, readNode);
  const set = new SliceSet({ isPortChosen: settings.port !== undefined });
  const own = [...objects].filter((each) => each.service === service).map(toObject);
  set.apply(
    own.map((each) => reader.read(objectKeyOf(each)!, each, () => undefined)),
    [],
  );
  return MemberSet.from(set.nodes());
}

const isEqual = (a: MemberSet, b: MemberSet): boolean =>
  a.size === b.size &&
  [...a].every((node: ClusterNode) => isSameNode(node, b.get(node.id) ?? { ...node, id: "" }));

// R7.1
test("for any changes of slices, the members of each user equal those computed from all slices of its Service", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(params, { minLength: 1, maxLength: 4 }),
      fc.array(fc.array(command, { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
      async (given, batches) => {
        const clock = new VirtualClock();
        const { signal } = new AbortController();
        const cache = new ObjectCache(SLICES_BY_SERVICE);
        const content = new SharedContent({ cache, clock, signal });
        const model = new Map<number, Given>();
        const users: {
          readonly user: WatchUser;
          readonly view: SliceView;
          readonly settings: KubernetesSettings;
        }[] = [];
        const join = (service: string): Promise<void> => {
          const settings = kubernetesParamsSchema.parse({ service, ...given[users.length % given.length] });
          const view = new SliceView(service, settings, readNode);
          const user = new WatchUser({ view, heartbeatMs: 1_000, clock, signal });
          users.push({ user, view, settings });
          return content.join(user, Number.POSITIVE_INFINITY);
        };
        const take = (step: ReflectorStep) => clock.until(content.take(step), 1_000);
        const list = async () => {
          const objects = [...model.values()]
            .map(toObject)
            .map((object) => ({ key: objectKeyOf(object)!, object }));
          await take({ type: "page", objects: objects.slice(0, 3) });
          await take({ type: "page", objects: objects.slice(3) });
          await take({ type: "listed", keys: new Set(objects.map(({ key }) => key)), position: POSITION });
        };
        for (const service of SERVICES) void join(service);
        await list();
        for (const batch of batches) {
          const events: Extract<ReflectorStep, { readonly type: "events" }>["events"][number][] = [];
          const flush = () => take({ type: "events", events: events.splice(0), position: POSITION });
          for (const each of batch) {
            switch (each.type) {
              case "put": {
                model.set(each.slice.name, each.slice);
                const object = toObject(each.slice);
                events.push({ type: "put", key: objectKeyOf(object)!, object, resourceVersion: "2" });
                break;
              }
              case "delete":
                if (!model.delete(each.name)) break;
                events.push({ type: "delete", key: `n/s${each.name}`, object: {}, resourceVersion: "2" });
                break;
              case "relist":
                await flush();
                await take({ type: "expired" });
                model.clear();
                for (const changed of each.slices) model.set(changed.name, changed);
                await list();
                break;
              case "join":
                void join(each.service);
                break;
              case "leave": {
                const [left] = users.splice(each.index, 1);
                if (left !== undefined) content.leave(left.user);
                break;
              }
              case "wait":
                await flush();
                await clock.advance(each.ms);
                break;
            }
          }
          await flush();
          await clock.advance(0);
          for (const { view, settings } of users) {
            const expected = recompute(model.values(), view.group, settings);
            if (settings.settleMs === 0) expect(isEqual(view.members, expected)).toBe(true);
            // With a settle time, members may be kept, but none may be missing.
            else for (const { id } of expected) expect(view.members.has(id)).toBe(true);
          }
        }
        await clock.advance(300);
        for (const { view, settings } of users)
          expect(isEqual(view.members, recompute(model.values(), view.group, settings))).toBe(true);
        for (const { user } of users) content.leave(user);
        expect(clock.pendingTimers).toBe(0);
        expect([...content.users()]).toEqual([]);
      },
    ),
    { numRuns: fuzzRuns(300) },
  );
});
