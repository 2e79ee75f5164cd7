import { isDeepStrictEqual } from "node:util";
import {
  createDeadline,
  ProvisioningError,
  toProvisioningError,
  toReason,
  untilAborted,
  type AnyProviderAdapter,
  type Clock,
  type DiscoveryStore,
  type FoundService,
  type Random,
  type TopologyName,
} from "@holdfast/core";
import type { DirectoryWarning } from "../directory/directory-warning.ts";
import type { TopologyDefinition } from "../directory/topology-definition.ts";
import { Discovery } from "./discovery.ts";
import type { DiscoveryDefinition } from "./discovery-definition.ts";
import { findEarlier } from "./find-earlier.ts";
import { ServicesKeeper } from "./services-keeper.ts";
import type { SourceKey } from "./service-presence.ts";
import { WarnOnce } from "./warn-once.ts";

export interface DiscoverySetOptions {
  readonly adapters: readonly AnyProviderAdapter[];
  readonly store: DiscoveryStore | undefined;
  readonly clock: Clock;
  readonly random: Random;
  /** The services have changed. */
  readonly onChange: () => void;
  readonly onWarning: (warning: DirectoryWarning) => void;
}

/** Topologies that discoveries can have together. */
const MAX_DISCOVERED = 5_000;
/** The sources are opened after this time even if the store has not been read, in milliseconds. */
const LOAD_WAIT_MS = 10_000;

/** All discoveries of a directory: keeps what they find across restarts, and decides which of them a topology belongs to. */
export class DiscoverySet {
  readonly #options: DiscoverySetOptions;
  readonly #keeper: ServicesKeeper | undefined;
  readonly #warnings: WarnOnce;
  #known: ReadonlyMap<SourceKey, readonly FoundService[]> = new Map();
  #discoveries: readonly Discovery[] = [];
  /** `update` has been called. */
  #isOpen = false;
  readonly #closing = new Set<Promise<void>>();

  constructor(options: DiscoverySetOptions) {
    const { store, clock, onWarning } = options;
    this.#options = options;
    this.#warnings = new WarnOnce(onWarning);
    this.#keeper = store && new ServicesKeeper({ store, clock, onError: (error) => this.#warn(error) });
  }

  /** Whether every discovery knows its services: from a source, or from an earlier run. */
  get isKnown(): boolean {
    return this.#isOpen && this.#discoveries.every(({ isKnown }) => isKnown);
  }

  /** Loads what earlier runs have found. A store that is damaged or hangs causes a warning. Never rejects. */
  async load(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#options;
    if (store === undefined) return;
    const error = () =>
      new ProvisioningError(
        "STORE_IO",
        `the services of earlier runs were not read within ${LOAD_WAIT_MS} ms`,
      );
    using deadline = createDeadline({ afterMs: LOAD_WAIT_MS, clock, signal, error });
    try {
      const all = await untilAborted(store.load(), deadline.signal);
      this.#known = new Map(all.map(({ source, services }) => [source, services]));
      this.#keeper?.markSaved(all);
    } catch (cause) {
      if (signal.aborted) return;
      this.#warn(toProvisioningError(cause, "STORE_IO", "the services of earlier runs could not be read"));
    }
  }

  /**
   * Replaces all discoveries. One whose definition and place in the list are the same is not touched; one that has moved or changed keeps its
   * services (see `findEarlier`). The definitions must be valid.
   */
  update(definitions: readonly DiscoveryDefinition[]): void {
    const before = this.#discoveries;
    const continued = findEarlier(before, definitions);
    this.#discoveries = definitions.map((definition, index) => {
      const earlier = continued[index];
      const isPlaced = earlier !== undefined && earlier === before[index];
      if (isPlaced && isDeepStrictEqual(earlier.definition, definition)) return earlier;
      return this.#create(definition, index, earlier);
    });
    for (const discovery of before) if (!this.#discoveries.includes(discovery)) this.#close(discovery);
    for (const discovery of this.#discoveries) if (!before.includes(discovery)) discovery.open();
    // A source that is added later starts without what an earlier run knew of it.
    this.#known = new Map();
    this.#isOpen = true;
    // A directory without discoveries writes no file.
    if (before.length > 0 || definitions.length > 0) this.#save();
    this.#options.onChange();
  }

  /**
   * The topologies of all services that are present, without those whose names are taken. Each has a function that returns its definition;
   * undefined, with a warning, when that is not valid. Of several discoveries that find a topology the first one defines it. Names must
   * differ by more than upper and lower case, because they are names of folders.
   */
  topologies(taken: Iterable<TopologyName>): ReadonlyMap<TopologyName, () => TopologyDefinition | undefined> {
    const owners = new Map(
      [...taken].map((name) => [name.toLowerCase(), `the configured topology "${name}"`]),
    );
    const topologies = new Map<TopologyName, () => TopologyDefinition | undefined>();
    const refusals = new Map<string, DirectoryWarning>();
    let left = 0;
    for (const [index, discovery] of this.#discoveries.entries()) {
      for (const name of discovery.services.keys()) {
        const owner = owners.get(name.toLowerCase());
        if (owner !== undefined) {
          const message = `the found topology "${name}" (discovery ${index}) is not started: ${owner} has its name`;
          refusals.set(`${index} ${name}`, { code: "VALIDATION_DUPLICATE_ID", message, topology: name });
        } else if (topologies.size >= MAX_DISCOVERED) left++;
        else {
          owners.set(name.toLowerCase(), `the topology "${name}" of discovery ${index}`);
          topologies.set(name, () => discovery.define(name));
        }
      }
    }
    if (left > 0) {
      const message = `only ${MAX_DISCOVERED} found topologies are started; more services were found`;
      const details = { maxTopologies: MAX_DISCOVERED, left };
      refusals.set("limit", { code: "VALIDATION_MALFORMED", message, details });
    }
    this.#warnings.reportAll("refused:", refusals);
    return topologies;
  }

  /** Ends all watches and saves what is not saved yet. Resolves with the names of tasks unfinished when the signal aborted. Never rejects. */
  async close(signal: AbortSignal): Promise<readonly string[]> {
    for (const discovery of this.#discoveries) this.#close(discovery);
    const unsaved = (await this.#keeper?.finish(signal)) ?? [];
    try {
      await untilAborted(Promise.all(this.#closing), signal);
      return unsaved;
    } catch {
      return [...unsaved, "discoveries: the end of a watch"];
    }
  }

  #create(definition: DiscoveryDefinition, index: number, earlier: Discovery | undefined): Discovery {
    const { adapters, clock, random, onChange, onWarning } = this.#options;
    return new Discovery({
      definition,
      at: definition.at ?? ["discover", index],
      adapters,
      clock,
      random,
      known: earlier?.lists ?? this.#known,
      orphans: earlier?.services,
      onChange,
      onListed: () => this.#save(),
      onWarning,
    });
  }

  #close(discovery: Discovery): void {
    const closing = discovery[Symbol.asyncDispose]().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #save(): void {
    const lists = new Map(this.#discoveries.flatMap((discovery) => [...discovery.lists]));
    this.#keeper?.keep([...lists].map(([source, services]) => ({ source, services })));
  }

  #warn(error: ProvisioningError): void {
    const { code, message, details } = toReason(error);
    this.#options.onWarning({ code, message, details });
  }
}
