import { isDeepStrictEqual } from "node:util";
import {
  createTypedEvents,
  describeForm,
  isProvisioningError,
  providerIdSchema,
  ProvisioningError,
  SerialQueue,
  toProvisioningError,
  untilAborted,
  type AnyProviderAdapter,
  type Clock,
  type ProviderId,
  type ProviderStore,
  type Random,
  type TypedEvents,
  type Unsubscribe,
} from "@holdfast/core";
import { Admission, type Admitted } from "./admission.ts";
import { InstanceDisposal } from "./instance-disposal.ts";
import { ProviderAudit } from "./provider-audit.ts";
import { ProviderFactory, toDisabled } from "./provider-factory.ts";
import {
  isSameDefinition,
  isSameSet,
  toDefinition,
  toProviderSet,
  type ProviderSet,
} from "./provider-set.ts";
import { MAX_PROVIDERS, ProviderValidator, subjectOf, toValid, withDuplicate } from "./provider-validator.ts";
import type { RegisteredProvider } from "./registered-provider.ts";
import type { RegistryEvents } from "./registry-events.ts";

export interface ProviderRegistryOptions {
  readonly store: ProviderStore;
  /** One for each kind. */
  readonly adapters: readonly AnyProviderAdapter[];
  readonly clock: Clock;
  readonly random: Random;
  /** How often a live provider owes a sign of life: a third of the health timeout, in milliseconds. */
  readonly heartbeatMs: number;
  /** How long a probe may take, in milliseconds. @defaultValue 5000 */
  readonly probeTimeoutMs?: number | undefined;
  /** `"warn"` accepts a provider whose probe fails and tells it as a warning. @defaultValue "require" */
  readonly probe?: "require" | "warn" | undefined;
  /** Failures of one id in a row before its attempts are refused for a while. @defaultValue 3 */
  readonly suppressAfter?: number | undefined;
  /** For how long, in milliseconds. @defaultValue 60000 */
  readonly suppressMs?: number | undefined;
}

export interface RegistryCallOptions {
  /** Ends the wait in the queue, for the store to load and for probes. A save that has begun is finished. */
  readonly signal?: AbortSignal | undefined;
}

export interface RestoreOptions extends RegistryCallOptions {
  /**
   * The definitions that the next `reload` brings into force. A stored provider whose definition is not among them is neither
   * checked nor made: a stored set that is no longer valid cannot keep a complete configuration from starting.
   * @defaultValue the whole stored set is restored
   */
  readonly onlyFrom?: readonly unknown[] | undefined;
}

/**
 * Owns the set of providers. Every change is checked, proven and saved before it comes into force, whole or not at all, one
 * after another in the order of the calls. Call `restore` first: a set that was not loaded must not be saved over.
 *
 * Calls reject with `LIFECYCLE_NOT_STARTED` before that, `LIFECYCLE_STOPPED` after disposal, and `LIFECYCLE_ABORTED`.
 */
export class ProviderRegistry implements AsyncDisposable {
  readonly #store: ProviderStore;
  readonly #validator: ProviderValidator;
  readonly #factory: ProviderFactory;
  readonly #admission: Admission;
  readonly #queue: SerialQueue = new SerialQueue();
  readonly #stop: AbortController = new AbortController();
  readonly #instances: InstanceDisposal;
  readonly #events: TypedEvents<RegistryEvents>;
  readonly #audit: ProviderAudit;
  #set: ProviderSet | undefined;
  /** The store may hold another set than the one in force: then even an unchanged set is saved. */
  #isStoreInDoubt = false;
  #disposal: Promise<void> | undefined;

  /** Throws `VALIDATION_DUPLICATE_ID` when two adapters have the same kind. */
  constructor(options: ProviderRegistryOptions) {
    const { clock, random, heartbeatMs, probe = "require", probeTimeoutMs = 5_000 } = options;
    const { suppressAfter = 3, suppressMs = 60_000 } = options;
    this.#store = options.store;
    this.#validator = new ProviderValidator({ adapters: options.adapters });
    this.#events = createTypedEvents((cause, type) => this.#onListenerError(cause, type));
    this.#instances = new InstanceDisposal((warning) => this.#events.emit("warning", warning));
    this.#factory = new ProviderFactory({
      context: { clock, random, heartbeatMs },
      disposal: this.#instances,
    });
    this.#audit = new ProviderAudit({
      clock,
      signal: this.#stop.signal,
      onWarning: (warning) => this.#events.emit("warning", warning),
    });
    this.#admission = new Admission({
      clock,
      factory: this.#factory,
      probe,
      probeTimeoutMs,
      suppressAfter,
      suppressMs,
      onSuppressed: (warning) => this.#events.emit("warning", warning),
      disposal: this.#instances,
    });
  }

  /** The set in force: highest priority first, then by id. Empty before `restore` and after disposal. */
  list(): readonly RegisteredProvider[] {
    return this.#set ?? [];
  }

  get(id: ProviderId): RegisteredProvider | undefined {
    return this.list().find(({ descriptor }) => descriptor.id === id);
  }

  /** Listeners are called in the order they subscribed. One that fails is told as a warning and hurts nobody else. */
  on<K extends keyof RegistryEvents>(type: K, listener: (event: RegistryEvents[K]) => unknown): Unsubscribe {
    return this.#events.on(type, listener);
  }

  /**
   * Brings exactly the stored set into force, with the reasons of what is disabled, and probes nothing. Called again it
   * brings in what the store holds now, the way out of a `STORE_CONFLICT`. Rejects with what the store throws, or a
   * `VALIDATION_*` error naming every problem; then nothing has changed.
   */
  async restore(options: RestoreOptions = {}): Promise<readonly RegisteredProvider[]> {
    const { onlyFrom } = options;
    const wanted = onlyFrom && this.#validator.checkAll(onlyFrom).flatMap(({ valid }) => valid ?? []);
    return this.#enqueue(options, async (signal) => {
      const all = await this.#load(signal);
      const stored =
        wanted === undefined
          ? all
          : all.filter((known) => wanted.some(({ descriptor }) => isSameDefinition(known, descriptor)));
      const checks = this.#validator.checkAll(stored.map(toDefinition));
      const next: RegisteredProvider[] = [];
      try {
        for (const [index, valid] of toValid(checks, "the stored set").entries()) {
          const disabled = stored[index]?.disabled;
          const kept = this.list().find(
            ({ descriptor }) =>
              isSameDefinition(descriptor, valid.descriptor) &&
              isDeepStrictEqual(descriptor.disabled, disabled),
          );
          next.push(
            kept ?? (disabled ? toDisabled(valid.descriptor, disabled) : this.#factory.create(valid)),
          );
        }
      } catch (error) {
        this.#instances.startForRest(next, this.list());
        throw error;
      }
      const set = toProviderSet(next);
      this.#isStoreInDoubt = stored.length < all.length;
      this.#putInForce(set);
      return set;
    });
  }

  /**
   * Adds one provider. Rejects with a `VALIDATION_*` error naming every problem, what its probe threw, `CONNECTIVITY_TIMEOUT`,
   * or a `STORE_*` error; then nothing has changed. `input` is read at once.
   */
  async register(input: unknown, options: RegistryCallOptions = {}): Promise<RegisteredProvider> {
    const check = this.#validator.check(input);
    const set = await this.#change(options, async (current, signal) => {
      const isTaken = current.some(({ descriptor }) => descriptor.id === check.id);
      if (isTaken) toValid([withDuplicate(check, "id", "an id that is not taken")], subjectOf(check));
      if (current.length >= MAX_PROVIDERS) throw toFullError();
      const { providers, warnings } = await this.#admission.admit(check, signal);
      return { providers: [...current, ...providers], warnings };
    });
    return set.find(({ descriptor }) => descriptor.id === check.id)!;
  }

  /** Takes one out. Rejects with `VALIDATION_UNKNOWN_ID`, or a `STORE_*` error; then nothing has changed. */
  async remove(id: ProviderId, options: RegistryCallOptions = {}): Promise<void> {
    await this.#change(options, async (current) => {
      const providers = current.filter(({ descriptor }) => descriptor.id !== id);
      if (providers.length < current.length) return { providers, warnings: [] };
      const name = providerIdSchema.safeParse(id).success ? `"${id}"` : describeForm(id);
      throw new ProvisioningError("VALIDATION_UNKNOWN_ID", `there is no such provider, for ${name}`);
    });
  }

  /**
   * Replaces the whole set, all or nothing. An entry that equals what is registered keeps its instance and is neither
   * proven again nor re-enabled. Rejects as `register` does, with every problem of every entry in `details.problems`, or every
   * failed probe in `details.failures`; then nothing has changed. `inputs` is read at once.
   */
  async reload(
    inputs: readonly unknown[],
    options: RegistryCallOptions = {},
  ): Promise<readonly RegisteredProvider[]> {
    const checks = this.#validator.checkAll(inputs);
    return this.#change(options, async (current, signal) => {
      const kept = current.filter(({ descriptor }) =>
        checks.some(({ valid }) => valid !== undefined && isSameDefinition(descriptor, valid.descriptor)),
      );
      const keptIds = new Set(kept.map(({ descriptor }) => descriptor.id));
      const attempts = checks.filter(({ id, valid }) => valid === undefined || !keptIds.has(id!));
      const { providers, warnings } = await this.#admission.admitAll(attempts, signal);
      return { providers: [...kept, ...providers], warnings };
    });
  }

  /** Lets a save that has begun finish, refuses everything else, and disposes of every instance. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposal ??= this.#dispose();
    return this.#disposal;
  }

  async #dispose(): Promise<void> {
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", "the registry was disposed of"));
    await this.#queue.run(async () => {
      this.#instances.startForRest(this.list(), []);
      this.#set = [];
    });
    await this.#instances.settled();
    this.#events.clear();
  }

  async #enqueue<T>({ signal }: RegistryCallOptions, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
    try {
      return await this.#queue.run(() => task(either), either);
    } catch (error) {
      throw toProvisioningError(error, "LIFECYCLE_INTERNAL", "the registry failed unexpectedly");
    }
  }

  /**
   * Saves the draft, then brings it into force; when the save fails the old set stays, in the store too, and what is new is
   * disposed of.
   */
  #change(
    options: RegistryCallOptions,
    draft: (current: ProviderSet, signal: AbortSignal) => Promise<Admitted>,
  ): Promise<ProviderSet> {
    return this.#enqueue(options, async (signal) => {
      const current = this.#set;
      if (current === undefined) {
        throw new ProvisioningError("LIFECYCLE_NOT_STARTED", "call restore before changing the set");
      }
      const { providers, warnings } = await draft(current, signal);
      const next = toProviderSet(providers);
      if (isSameSet(current, next) && !this.#isStoreInDoubt) return current;
      try {
        await this.#save(next);
      } catch (error) {
        this.#instances.startForRest(next, current);
        // What failed may have been written all the same. Any other code says that nothing was.
        if (isProvisioningError(error) && error.code === "STORE_IO") await this.#saveAgain(current);
        throw error;
      }
      this.#putInForce(next);
      for (const warning of warnings) this.#events.emit("warning", warning);
      return next;
    });
  }

  async #load(signal: AbortSignal): Promise<Awaited<ReturnType<ProviderStore["load"]>>> {
    try {
      return await untilAborted(this.#store.load(), signal);
    } catch (error) {
      throw toProvisioningError(error, "STORE_IO", "the stored set could not be loaded");
    }
  }

  async #save(set: ProviderSet): Promise<void> {
    try {
      await this.#store.save(set.map(({ descriptor }) => descriptor));
      this.#isStoreInDoubt = false;
    } catch (error) {
      throw toProvisioningError(error, "STORE_IO", "the set could not be saved");
    }
  }

  /** So that a restart restores what is in force. Never loads: that would hide what somebody else saved meanwhile. */
  async #saveAgain(current: ProviderSet): Promise<void> {
    try {
      await this.#save(current);
    } catch (cause) {
      this.#isStoreInDoubt = true;
      const message =
        "the set in force could not be saved again: the store may hold the one that was refused";
      this.#events.emit("warning", { code: "STORE_IO", message, cause });
    }
  }

  #putInForce(next: ProviderSet): void {
    const before = this.#set;
    this.#set = next;
    if (before === undefined || !isSameSet(before, next)) this.#events.emit("changed", next);
    this.#instances.startForRest(before ?? [], next);
    this.#audit.start(before ?? [], next);
  }

  #onListenerError(cause: unknown, type: keyof RegistryEvents): void {
    // Telling a listener of warnings that it failed would only make it fail again.
    if (type === "warning") return;
    const message = `a listener of "${type}" failed`;
    this.#events.emit("warning", { code: "LIFECYCLE_CONSUMER_FAILED", message, cause });
  }
}

function toFullError(): ProvisioningError {
  return new ProvisioningError(
    "VALIDATION_MALFORMED",
    `there are ${MAX_PROVIDERS} providers, and no more can be`,
    {
      details: { maxProviders: MAX_PROVIDERS },
    },
  );
}
