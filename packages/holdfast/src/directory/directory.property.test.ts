import { ProvisioningError } from "@holdfast/core";
import { memory, type MemoryProvider } from "@holdfast/provider-memory";
import {
  createSeededRandom,
  fuzzRuns,
  MemoryDiscoveryStore,
  MemoryProviderStore,
  MemorySnapshotStore,
  VirtualClock,
} from "@holdfast/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ScriptedCatalog } from "../../test/scripted-catalog.ts";
import { Directory } from "./directory.ts";
import type { DirectoryDefinition } from "./directory-definition.ts";

const CONFIGURED = ["a", "b", "x"];
const SERVICES = ["x", "y", "z"];

type Step =
  | { readonly type: "list"; readonly source: string; readonly services: readonly string[] }
  | { readonly type: "fail" | "silence"; readonly source: string }
  | {
      readonly type: "reload";
      readonly names: readonly string[];
      readonly version: number;
      readonly hasDiscovery: boolean;
    }
  | { readonly type: "break" | "repair" | "hang"; readonly name: string }
  | { readonly type: "outage"; readonly name: string }
  | { readonly type: "wait"; readonly ms: number };

const source = fc.constantFrom("A", "B");
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ type: fc.constant("list"), source, services: fc.subarray(SERVICES) }),
    fc.record({ type: fc.constantFrom("fail", "silence"), source }),
    fc.record({
      type: fc.constant("reload"),
      names: fc.subarray(CONFIGURED, { minLength: 1 }),
      version: fc.nat({ max: 3 }),
      hasDiscovery: fc.boolean(),
    }),
    fc.record({ type: fc.constantFrom("break", "repair", "hang"), name: fc.constantFrom(...CONFIGURED) }),
    fc.record({ type: fc.constant("outage"), name: fc.constantFrom(...CONFIGURED) }),
    fc.record({ type: fc.constant("wait"), ms: fc.constantFrom(0, 1_000, 20_000, 70_000) }),
  ),
  { maxLength: 12 },
);

const provider = (name: string, version: number) => ({
  id: name,
  kind: "memory",
  priority: 1,
  params: { members: [{ id: `${name}${version}`, host: "h.test", port: 1 }] },
});

/** Odd versions have another setting than even ones. */
const toDefinition = ({
  names,
  version,
  hasDiscovery,
}: Extract<Step, { type: "reload" }>): DirectoryDefinition => ({
  topologies: names.map((name) => ({
    name,
    providers: [provider(name, version >> 1)],
    health: { timeoutMs: 15_000 + (version % 2) },
  })),
  discoveries: hasDiscovery
    ? [
        {
          sources: ["A", "B"].map((key) => ({ kind: "catalog", params: { source: key } })),
          providers: [
            {
              id: "m",
              kind: "memory",
              priority: 1,
              params: { members: [{ id: "{service}", host: "h.test", port: 1 }] },
            },
          ],
        },
      ]
    : [],
});

/** A store that fails or hangs on request. */
class FaultyStore extends MemoryProviderStore {
  mode: "sound" | "broken" | "hanging" = "sound";

  override async load(): ReturnType<MemoryProviderStore["load"]> {
    await this.#access();
    return super.load();
  }

  override async save(...args: Parameters<MemoryProviderStore["save"]>): Promise<void> {
    await this.#access();
    return super.save(...args);
  }

  async #access(): Promise<void> {
    if (this.mode === "hanging") await new Promise(() => {});
    if (this.mode === "broken") throw new ProvisioningError("STORE_IO", "broken");
  }
}

function createWorld() {
  const clock = new VirtualClock();
  const catalog = new ScriptedCatalog();
  const stores = new Map(CONFIGURED.map((name) => [name, new FaultyStore()]));
  const providers = new Map<string, MemoryProvider>();
  const adapter = memory.createAdapter({
    onCreate: (created) => void providers.set(created.descriptor.id, created),
  });
  const directory = new Directory({
    adapters: [adapter, catalog.createAdapter()],
    storesFor: (name) => ({ providers: stores.get(name), snapshots: new MemorySnapshotStore() }),
    discoveryStore: new MemoryDiscoveryStore(),
    clock,
    random: createSeededRandom(1),
  });
  return { clock, catalog, stores, providers, directory };
}

// R7.1, R7.2, R5.4
test("whatever happens to stores, backends and definitions: what works stays, and nothing is left behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.subarray(CONFIGURED), steps, async (broken, list) => {
      const { clock, catalog, stores, providers, directory } = createWorld();
      for (const name of broken) stores.get(name)!.mode = "broken";
      let current: Extract<Step, { type: "reload" }> = {
        type: "reload",
        names: ["a", "b"],
        version: 0,
        hasDiscovery: true,
      };
      await clock.until(directory.start(toDefinition(current)), 60_000);
      for (const step of list) {
        const before = new Map(directory.names().map((name) => [name, directory.topology(name)]));
        switch (step.type) {
          case "list":
            catalog.list(step.source, step.services.join(" "));
            break;
          case "fail":
          case "silence":
            catalog[step.type](step.source);
            break;
          case "break":
          case "hang":
          case "repair": {
            const modes = { break: "broken", hang: "hanging", repair: "sound" } as const;
            stores.get(step.name)!.mode = modes[step.type];
            break;
          }
          case "outage":
            providers.get(step.name)?.end();
            break;
          case "wait":
            await clock.advance(step.ms);
            break;
          case "reload": {
            const isAccepted = await clock.until(directory.reload(toDefinition(step)), 90_000).then(
              () => true,
              (error: ProvisioningError) => {
                // The reload is still in progress.
                if (error.code === "CONNECTIVITY_TIMEOUT") throw error;
                return false;
              },
            );
            if (isAccepted) current = step;
            break;
          }
        }
        await clock.advance(10);
        const names = directory.names();
        for (const name of current.names) expect(names).toContain(name);
        if (step.type === "reload") continue;
        // Only a reload removes or replaces a configured topology.
        for (const name of current.names) expect(directory.topology(name)).toBe(before.get(name));
        // Only a wait removes a discovered one.
        if (step.type !== "wait") for (const name of before.keys()) expect(names).toContain(name);
      }
      await finish({ clock, catalog, directory });
    }),
    { numRuns: fuzzRuns(60) },
  );
});

async function finish({
  clock,
  catalog,
  directory,
}: Pick<ReturnType<typeof createWorld>, "clock" | "catalog" | "directory">) {
  await clock.until(directory.close(), 60_000);
  await clock.settle();
  expect([clock.pendingTimers, catalog.openWatches]).toEqual([0, 0]);
}
