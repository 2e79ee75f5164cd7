import { MemoryProviderStore } from "@holdfast/testing";
import {
  compareDescriptors,
  isProvisioningError,
  type ProviderDescriptor,
  type ProviderDescriptorInput,
  type ProviderStore,
} from "@holdfast/core";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createBench, refusal, sample, type RegistryBench } from "../test/registry-bench.ts";
import type { ScriptedProvider } from "../test/scripted-adapter.ts";

type Command =
  | { readonly type: "register"; readonly input: ProviderDescriptorInput }
  | { readonly type: "remove"; readonly id: string }
  | { readonly type: "reload"; readonly inputs: readonly ProviderDescriptorInput[] };

/** The expected set after a command, computed by the simplest rules. `undefined` means that the call must fail. */
function expectedAfter(
  set: readonly ProviderDescriptor[],
  command: Command,
): readonly ProviderDescriptor[] | undefined {
  if (command.type === "remove") {
    const rest = set.filter(({ id }) => id !== command.id);
    return rest.length === set.length ? undefined : rest;
  }
  if (command.type === "register") {
    if (set.some(({ id }) => id === command.input.id) || !isAcceptable(command.input)) return undefined;
    return [...set, withReason(command.input)].sort(compareDescriptors);
  }
  const ids = new Set(command.inputs.map(({ id }) => id));
  if (ids.size < command.inputs.length || !command.inputs.every(isAcceptable)) return undefined;
  return command.inputs.map(withReason).sort(compareDescriptors);
}

const isAcceptable = ({ params }: ProviderDescriptorInput): boolean =>
  params["path"] !== "" && params["path"] !== "/down";

function withReason(input: ProviderDescriptorInput): ProviderDescriptor {
  if (input.params["path"] !== "/blind") return input;
  const message = 'it lacks the capability "watch"';
  return { ...input, disabled: { code: "VALIDATION_MISSING_CAPABILITY", message } };
}

function script(provider: ScriptedProvider): void {
  const { path } = provider.descriptor.params;
  if (path === "/down") provider.onProbe = () => Promise.reject(refusal());
  if (path === "/blind") provider.capabilities = { watch: false };
}

function run({ registry }: RegistryBench, command: Command): Promise<unknown> {
  if (command.type === "register") return registry.register(command.input);
  if (command.type === "remove") return registry.remove(command.id);
  return registry.reload(command.inputs);
}

/** Saves fail or succeed as a list determines, in order. */
class UnsteadyStore implements ProviderStore {
  readonly failures: boolean[] = [];
  readonly inner: MemoryProviderStore;
  #isLate = false;

  constructor(inner: MemoryProviderStore) {
    this.inner = inner;
  }

  load(): Promise<readonly ProviderDescriptor[]> {
    return this.inner.load();
  }

  /** Every second save that fails has written everything before it fails. The save after a failure succeeds. */
  async save(all: readonly ProviderDescriptor[]): Promise<void> {
    const isFailing = this.failures.shift() === true;
    if (!isFailing || this.#isLate) await this.inner.save(all);
    if (!isFailing) return;
    this.#isLate = !this.#isLate;
    this.failures.unshift(false);
    throw refusal("STORE_IO");
  }

  reopen(): UnsteadyStore {
    return new UnsteadyStore(this.inner.reopen());
  }
}

const id = fc.constantFrom("a", "b", "c", "d");
const input = fc
  .tuple(id, fc.integer({ min: 1, max: 2 }), fc.constantFrom("/x", "/x", "/y", "/blind", "/down", ""))
  .map(([name, priority, path]) => ({ ...sample(name, priority, path) }));
const command: fc.Arbitrary<Command> = fc.oneof(
  input.map((value) => ({ type: "register", input: value }) as const),
  id.map((value) => ({ type: "remove", id: value }) as const),
  fc.array(input, { maxLength: 4 }).map((inputs) => ({ type: "reload", inputs }) as const),
);
/** The commands of one batch are called without waiting for each other. */
const batch = fc.record({
  commands: fc.array(fc.record({ command, isStoreFailing: fc.boolean() }), { maxLength: 8 }),
  isRestarting: fc.boolean(),
});

test("concurrent calls, a failing store and restarts give the same result as sequential calls", async () => {
  // R1.5 R5.4
  const property = fc.asyncProperty(fc.array(batch, { maxLength: 6 }), async (batches) => {
    let store = new UnsteadyStore(new MemoryProviderStore());
    let bench = createBench({ store, script, suppressAfter: Infinity });
    await bench.registry.restore();
    let model: readonly ProviderDescriptor[] = [];
    for (const { commands, isRestarting } of batches) {
      const outcomes: boolean[] = [];
      for (const { command: next, isStoreFailing } of commands) {
        const set = expectedAfter(model, next);
        const isSaved = set !== undefined && JSON.stringify(set) !== JSON.stringify(model);
        if (isSaved) store.failures.push(isStoreFailing);
        outcomes.push(set !== undefined && !(isSaved && isStoreFailing));
        if (outcomes.at(-1) === true) model = set!;
      }
      const settled = await Promise.allSettled(commands.map(({ command: next }) => run(bench, next)));

      expect(settled.map(({ status }) => status === "fulfilled")).toEqual(outcomes);
      for (const outcome of settled) {
        if (outcome.status === "rejected") expect(isProvisioningError(outcome.reason)).toBe(true);
      }
      assertInForce(bench, model);
      expect(JSON.parse(store.inner.contents || "[]")).toEqual(model);
      if (!isRestarting) continue;
      await bench.registry[Symbol.asyncDispose]();
      expect(bench.adapter.created.every(({ disposals }) => disposals === 1)).toBe(true);
      store = store.reopen();
      bench = createBench({ store, script, suppressAfter: Infinity });
      await bench.registry.restore();
      assertInForce(bench, model);
    }
    await bench.registry[Symbol.asyncDispose]();
    expect(bench.clock.pendingTimers).toBe(0);
  });
  await fc.assert(property, { numRuns: 300 });
});

function assertInForce({ registry, adapter }: RegistryBench, model: readonly ProviderDescriptor[]): void {
  const set = registry.list();
  expect(set.map(({ descriptor }) => descriptor)).toEqual(model);
  expect(
    set.every(({ descriptor, provider }) => (provider === undefined) === (descriptor.disabled !== undefined)),
  ).toBe(true);
  // Exactly the instances in force have not been disposed of.
  const undisposed = adapter.created.filter(({ disposals }) => disposals === 0);
  expect(new Set(undisposed)).toEqual(new Set(set.flatMap(({ provider }) => provider ?? [])));
}
