import { toReason, type Clock, type Random, type SnapshotStore } from "@holdfast/core";
import { ProvisioningService, SharedMetrics, TransientProviderStore } from "@holdfast/provisioning";
import { BoundedQueue } from "./bounded-queue.ts";
import type { DirectoryOptions } from "./directory-options.ts";
import type { DirectoryWarning } from "./directory-warning.ts";
import { SharedGeneration } from "./shared-generation.ts";
import type { TopologyDefinition } from "./topology-definition.ts";
import { TopologyRun } from "./topology-run.ts";

export interface RunFactoryOptions extends Omit<DirectoryOptions, "discoveryStore"> {
  readonly clock: Clock;
  readonly random: Random;
  readonly onWarning: (warning: DirectoryWarning) => void;
  /** Called when a topology could not be started and is tried again. */
  readonly onFailure: (warning: DirectoryWarning) => void;
}

export interface RunOptions {
  /** @defaultValue a new one */
  readonly service?: ProvisioningService | undefined;
  /** @defaultValue false */
  readonly isDiscovered?: boolean | undefined;
}

/** How many topologies save their snapshot at the same time. Each save has open files. */
const CONCURRENT_SAVES = 8;
/** How many topologies start at the same time. */
const CONCURRENT_STARTS = 20;
/** A start that takes longer does not delay others, in milliseconds. */
const START_PATIENCE_MS = 2_000;
/** A save that takes longer does not delay others, in milliseconds. */
const SAVE_PATIENCE_MS = 2_000;

/** Creates the services and runs of a directory, with what they share. */
export class RunFactory implements Disposable {
  /** Paces the starts of all topologies. */
  readonly starts: BoundedQueue;
  readonly #saves: BoundedQueue;
  readonly #options: RunFactoryOptions;
  readonly #generation: SharedGeneration | undefined;
  readonly #metrics: SharedMetrics | undefined;

  constructor(options: RunFactoryOptions) {
    const { clock, generation, metricsRegistry: registry } = options;
    this.#options = options;
    this.#generation = generation && new SharedGeneration(generation);
    this.#metrics = registry && new SharedMetrics({ registry, clock });
    this.#saves = new BoundedQueue({ limit: CONCURRENT_SAVES, patienceMs: SAVE_PATIENCE_MS, clock });
    this.starts = new BoundedQueue({ limit: CONCURRENT_STARTS, patienceMs: START_PATIENCE_MS, clock });
  }

  /** Does no I/O. Throws `VALIDATION_MALFORMED` for a setting out of its range. */
  createService(definition: TopologyDefinition, isDiscovered = false): ProvisioningService {
    const {
      name,
      lastKnownGood,
      providers: _providers,
      required: _required,
      at: _at,
      ...settings
    } = definition;
    const { adapters, storesFor, clock, random } = this.#options;
    const { providers, snapshots } = storesFor?.(name) ?? {};
    return new ProvisioningService({
      ...settings,
      name,
      adapters,
      // The providers of a discovered topology follow from the templates.
      store: (isDiscovered ? undefined : providers) ?? new TransientProviderStore(),
      generation: this.#generation?.for(name),
      lastKnownGood:
        snapshots === undefined || lastKnownGood === false
          ? undefined
          : { ...lastKnownGood, store: this.#pace(snapshots) },
      metrics: this.#metrics,
      clock,
      random,
    });
  }

  #pace(store: SnapshotStore): SnapshotStore {
    return {
      load: () => store.load(),
      save: (known) => this.#saves.run(() => store.save(known)),
    };
  }

  createRun(definition: TopologyDefinition, { service, isDiscovered = false }: RunOptions = {}): TopologyRun {
    const { name } = definition;
    const { clock, random, onWarning, onFailure } = this.#options;
    const created = service ?? this.createService(definition, isDiscovered);
    created.on("warning", (warning) => onWarning({ ...warning, topology: name }));
    return new TopologyRun({
      definition,
      service: created,
      isDiscovered,
      clock,
      random,
      starts: this.starts,
      onFailure: (error) => {
        const { code, message, details } = toReason(error);
        const text = `"${name}" could not be started, and is tried again: ${message}`;
        onFailure({ code, message: text, topology: name, details });
      },
    });
  }

  /** Removes the metrics. */
  [Symbol.dispose](): void {
    this.#metrics?.[Symbol.dispose]();
  }
}
