import { isDeepStrictEqual } from "node:util";
import {
  createTypedEvents,
  describeForm,
  isProvisioningError,
  isProviderId,
  ProvisioningError,
  SerialQueue,
  toProvisioningError,
  untilAborted,
  whenAborted,
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
import { PreparedChange } from "./prepared-change.ts";
import {
  MAX_PROVIDERS,
  ProviderValidator,
  subjectOf,
  toValid,
  withDuplicate,
  type DescriptorCheck,
  type ValidDescriptor,
} from "./provider-validator.ts";
import type { RegisteredProvider } from "./registered-provider.ts";
import type { RegistryEvents } from "./registry-events.ts";

export interface ProviderRegistryOptions {
  readonly store: ProviderStore;
  /** One adapter for each kind. */
  readonly adapters: readonly AnyProviderAdapter[];
  readonly clock: Clock;
  readonly random: Random;
  /** Longest time between two events of a live provider, in milliseconds: a third of the health timeout. */
  readonly heartbeatMs: number;
  /** Time limit of a probe, in milliseconds. @defaultValue 5000 */
  readonly probeTimeoutMs?: number | undefined;
  /** `"warn"` accepts a provider whose probe fails, and emits a warning. @defaultValue "require" */
  readonly probe?: "require" | "warn" | undefined;
  /** Consecutive failures of one id after which its attempts are refused for `suppressMs`. @defaultValue 3 */
  readonly suppressAfter?: number | undefined;
  /** How long attempts are refused after `suppressAfter` failures, in milliseconds. @defaultValue 60000 */
  readonly suppressMs?: number | undefined;
}

export interface RegistryCallOptions {
  /** Ends the wait in the queue, for the store to load, and for probes. A save that has begun is finished. */
  readonly signal?: AbortSignal | undefined;
}

export interface RestoreOptions extends RegistryCallOptions {
  /**
   * The definitions that the next `reload` will bring into force. A stored provider whose definition is not among them
   * is neither checked nor created, so a stored set that is no longer valid cannot prevent the start of a complete
   * configuration. @defaultValue the whole stored set is restored
   */
  readonly onlyFrom?: readonly unknown[] | undefined;
}

interface StoredDraft {
  readonly providers: readonly RegisteredProvider[];
  /** True when the store holds more than the draft. */
  readonly mayStoreDiffer: boolean;
}

/**
 * Owns the set of providers. Every change is checked, proven and saved before it comes into force, completely or not at
 * all. Changes run one at a time, in call order. Call `restore` first: a set that was not loaded must not be
 * overwritten.
 *
 * Calls reject with `LIFECYCLE_NOT_STARTED` before `restore`, with `LIFECYCLE_STOPPED` after disposal, and with
 * `LIFECYCLE_ABORTED`.
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
  /** True when the store may hold a different set than the one in force. Then even an unchanged set is saved. */
  #mayStoreDiffer = false;
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

  /**
   * Listeners are called in the order in which they subscribed. A listener that fails causes a warning and does not
   * affect the others. Returns a function that unsubscribes.
   */
  on<K extends keyof RegistryEvents>(type: K, listener: (event: RegistryEvents[K]) => unknown): Unsubscribe {
    return this.#events.on(type, listener);
  }

  /**
   * Brings exactly the stored set into force, including the reasons why providers are disabled, and probes nothing. A
   * later call brings in what the store holds at that time, which resolves a `STORE_CONFLICT`. Rejects with the store's
   * error, or with a `VALIDATION_*` error that names every problem; then nothing has changed.
   */
  async restore(options: RestoreOptions = {}): Promise<readonly RegisteredProvider[]> {
    const { onlyFrom } = options;
    const wanted = onlyFrom && this.#validator.checkAll(onlyFrom).flatMap(({ valid }) => valid ?? []);
    return this.#enqueue(options, async (signal) => {
      const { providers, mayStoreDiffer } = await this.#draftStored(signal, wanted);
      const set = toProviderSet(providers);
      this.#mayStoreDiffer = mayStoreDiffer;
      this.#putInForce(set);
      return set;
    });
  }

  /**
   * Adds one provider. `input` is copied immediately. Rejects with a `VALIDATION_*` error that names every problem,
   * with the error of its probe, with `CONNECTIVITY_TIMEOUT`, or with a `STORE_*` error; then nothing has changed.
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

  /** Removes one provider. Rejects with `VALIDATION_UNKNOWN_ID`, or a `STORE_*` error; then nothing has changed. */
  async remove(id: ProviderId, options: RegistryCallOptions = {}): Promise<void> {
    await this.#change(options, async (current) => {
      const providers = current.filter(({ descriptor }) => descriptor.id !== id);
      if (providers.length < current.length) return { providers, warnings: [] };
      const name = isProviderId(id) ? `"${id}"` : describeForm(id);
      throw new ProvisioningError("VALIDATION_UNKNOWN_ID", `there is no provider with the id ${name}`);
    });
  }

  /**
   * Replaces the whole set, all or nothing. `inputs` is copied immediately. An entry that equals a registered provider
   * keeps its instance, is not probed again, and stays disabled if it is. Rejects as `register` does, with every
   * problem of every entry in `details.problems`, or every failed probe in `details.failures`; then nothing has
   * changed.
   */
  async reload(
    inputs: readonly unknown[],
    options: RegistryCallOptions = {},
  ): Promise<readonly RegisteredProvider[]> {
    const checks = this.#validator.checkAll(inputs);
    return this.#change(options, (current, signal) => this.#draftReload(checks, current, signal));
  }

  /**
   * The first phase of a `reload`, or of a `restore` when `inputs` is undefined: everything is checked and proven, but nothing is saved or
   * in force. So several registries can change together or not at all. No other change of this registry runs until the returned one is
   * applied or disposed of. Rejects as `reload` and `restore` do.
   */
  prepare(
    inputs: readonly unknown[] | undefined,
    options: RegistryCallOptions = {},
  ): Promise<PreparedChange> {
    const checks = inputs && this.#validator.checkAll(inputs);
    const { promise, resolve, reject } = Promise.withResolvers<PreparedChange>();
    const turn = this.#enqueue(options, async (signal) => {
      const current = this.#currentSet();
      const change =
        checks === undefined
          ? this.#toStoredChange(current, await this.#draftStored(signal))
          : this.#toChange(current, await this.#draftReload(checks, current, signal));
      using _ = whenAborted(this.#stop.signal, () => change[Symbol.dispose]());
      resolve(change);
      await change.over;
    });
    turn.catch(reject);
    return promise;
  }

  /** Lets a save that has begun finish, rejects all other calls, and disposes of every instance. Idempotent. */
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
   * Saves the draft, then brings it into force. When the save fails, the old set stays in force and in the store, and
   * new instances are disposed of.
   */
  #change(
    options: RegistryCallOptions,
    draft: (current: ProviderSet, signal: AbortSignal) => Promise<Admitted>,
  ): Promise<ProviderSet> {
    return this.#enqueue(options, async (signal) => {
      const current = this.#currentSet();
      using change = this.#toChange(current, await draft(current, signal));
      await change.save();
      return change.apply();
    });
  }

  #currentSet(): ProviderSet {
    if (this.#set !== undefined) return this.#set;
    throw new ProvisioningError("LIFECYCLE_NOT_STARTED", "call restore before changing the set");
  }

  async #draftReload(
    checks: readonly DescriptorCheck[],
    current: ProviderSet,
    signal: AbortSignal,
  ): Promise<Admitted> {
    const kept = current.filter(({ descriptor }) =>
      checks.some(({ valid }) => valid !== undefined && isSameDefinition(descriptor, valid.descriptor)),
    );
    const keptIds = new Set(kept.map(({ descriptor }) => descriptor.id));
    const attempts = checks.filter(({ id, valid }) => valid === undefined || !keptIds.has(id!));
    const { providers, warnings } = await this.#admission.admitAll(attempts, signal);
    return { providers: [...kept, ...providers], warnings };
  }

  /** The stored set, or the part of it whose definitions are `wanted`. */
  async #draftStored(signal: AbortSignal, wanted?: readonly ValidDescriptor[]): Promise<StoredDraft> {
    const all = await this.#load(signal);
    const stored =
      wanted === undefined
        ? all
        : all.filter((known) => wanted.some(({ descriptor }) => isSameDefinition(known, descriptor)));
    const checks = this.#validator.checkAll(stored.map(toDefinition));
    const providers: RegisteredProvider[] = [];
    try {
      for (const [index, valid] of toValid(checks, "the stored set").entries()) {
        const disabled = stored[index]?.disabled;
        const kept = this.list().find(
          ({ descriptor }) =>
            isSameDefinition(descriptor, valid.descriptor) &&
            isDeepStrictEqual(descriptor.disabled, disabled),
        );
        providers.push(
          kept ?? (disabled ? toDisabled(valid.descriptor, disabled) : this.#factory.create(valid)),
        );
      }
    } catch (error) {
      this.#instances.startForRest(providers, this.list());
      throw error;
    }
    return { providers, mayStoreDiffer: stored.length < all.length };
  }

  #toChange(current: ProviderSet, { providers, warnings }: Admitted): PreparedChange {
    const drafted = toProviderSet(providers);
    const isSame = isSameSet(current, drafted);
    const next = isSame ? current : drafted;
    const isSaved = isSame && !this.#mayStoreDiffer;
    return new PreparedChange({
      set: next,
      isChanged: !isSame,
      save: async () => {
        if (!isSaved) await this.#saveInsteadOf(current, next);
      },
      revert: async () => {
        if (!isSaved) await this.#saveAgain(current);
      },
      apply: () => {
        if (!isSaved) this.#putInForce(next);
        for (const warning of warnings) this.#events.emit("warning", warning);
      },
      discard: () => this.#instances.startForRest(next, current),
    });
  }

  #toStoredChange(current: ProviderSet, { providers, mayStoreDiffer }: StoredDraft): PreparedChange {
    const drafted = toProviderSet(providers);
    const isSame = isSameSet(current, drafted);
    const next = isSame ? current : drafted;
    return new PreparedChange({
      set: next,
      isChanged: !isSame,
      save: async () => undefined,
      revert: async () => undefined,
      apply: () => {
        this.#mayStoreDiffer = mayStoreDiffer;
        this.#putInForce(next);
      },
      discard: () => this.#instances.startForRest(next, current),
    });
  }

  async #saveInsteadOf(current: ProviderSet, next: ProviderSet): Promise<void> {
    try {
      await this.#save(next);
    } catch (error) {
      // A save that failed with `STORE_IO` may have been written nevertheless. With any other code nothing was
      // written.
      if (isProvisioningError(error) && error.code === "STORE_IO") await this.#saveAgain(current);
      throw error;
    }
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
      this.#mayStoreDiffer = false;
    } catch (error) {
      throw toProvisioningError(error, "STORE_IO", "the set could not be saved");
    }
  }

  /**
   * Saves the set in force again, so that a restart restores it. It must not load first: that would hide a set that
   * another process saved in the meantime.
   */
  async #saveAgain(current: ProviderSet): Promise<void> {
    try {
      await this.#save(current);
    } catch (cause) {
      this.#mayStoreDiffer = true;
      const message = "the set in force could not be saved again: the store may hold the refused set";
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
    // A warning about a failed warning listener would only make it fail again.
    if (type === "warning") return;
    const message = `a listener of "${type}" failed`;
    this.#events.emit("warning", { code: "LIFECYCLE_CONSUMER_FAILED", message, cause });
  }
}

function toFullError(): ProvisioningError {
  return new ProvisioningError(
    "VALIDATION_MALFORMED",
    `the set already has the maximum of ${MAX_PROVIDERS} providers`,
    {
      details: { maxProviders: MAX_PROVIDERS },
    },
  );
}
