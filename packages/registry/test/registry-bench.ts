import { createSeededRandom, MemoryProviderStore, VirtualClock } from "@holdfast/testing";
import { ProvisioningError } from "@holdfast/core";
import { ProviderRegistry, type ProviderRegistryOptions } from "../src/provider-registry.ts";
import type { RegisteredProvider } from "../src/registered-provider.ts";
import type { RegistryWarning } from "../src/registry-events.ts";
import { createScriptedAdapter, type ScriptedAdapter, type ScriptedProvider } from "./scripted-adapter.ts";

export interface BenchOptions extends Partial<ProviderRegistryOptions> {
  /** Called with each new instance before it is used. */
  readonly script?: (provider: ScriptedProvider) => void;
}

/** A registry, with its clock and adapter, and with recordings of its events. */
export interface RegistryBench {
  readonly registry: ProviderRegistry;
  readonly clock: VirtualClock;
  readonly adapter: ScriptedAdapter;
  /** The sets that `changed` emitted, in order. */
  readonly sets: (readonly RegisteredProvider[])[];
  readonly warnings: RegistryWarning[];
}

export function createBench({ script, ...options }: BenchOptions = {}): RegistryBench {
  const clock = new VirtualClock();
  const adapter = createScriptedAdapter(script);
  const registry = new ProviderRegistry({
    store: new MemoryProviderStore(),
    adapters: [adapter],
    clock,
    random: createSeededRandom(1),
    heartbeatMs: 5_000,
    ...options,
  });
  const sets: (readonly RegisteredProvider[])[] = [];
  const warnings: RegistryWarning[] = [];
  registry.on("changed", (set) => sets.push(set));
  registry.on("warning", (warning) => warnings.push(warning));
  return { registry, clock, adapter, sets, warnings };
}

/** Like `createBench`, with the set of the store (empty by default) in force. */
export async function startBench(options?: BenchOptions): Promise<RegistryBench> {
  const bench = createBench(options);
  await bench.registry.restore();
  bench.sets.length = 0;
  return bench;
}

export interface SampleDescriptor {
  readonly id: string;
  readonly kind: string;
  readonly priority: number;
  readonly params: { readonly path: string };
}

export function sample(id: string, priority = 1, path = "/x"): SampleDescriptor {
  return { id, kind: "scripted", priority, params: { path } };
}

export function idsOf(set: readonly RegisteredProvider[]): readonly string[] {
  return set.map(({ descriptor }) => descriptor.id);
}

/** Returns the error that the promise rejects with, which must be a `ProvisioningError`. */
export async function errorOf(promise: Promise<unknown>): Promise<ProvisioningError> {
  const outcome = await promise.then(
    () => "it resolved",
    (error: unknown) => error,
  );
  if (outcome instanceof ProvisioningError) return outcome;
  throw new Error("it did not reject with a ProvisioningError", { cause: outcome });
}

/** An error as a backend that refuses the connection would cause it. */
export function refusal(code: ProvisioningError["code"] = "CONNECTIVITY_REFUSED"): ProvisioningError {
  return new ProvisioningError(code, "the backend refused the connection");
}
