import type { Clock } from "@holdfast/core";
import { compareDefinitions } from "../directory/compare-definitions.ts";
import type { RunFactory } from "../directory/run-factory.ts";
import type { RunSet } from "../directory/run-set.ts";
import type { TopologyDefinition } from "../directory/topology-definition.ts";
import type { TopologyRun } from "../directory/topology-run.ts";
import type { DiscoverySet } from "./discovery-set.ts";

export interface DiscoveredRunsOptions {
  readonly discoveries: Pick<DiscoverySet, "topologies">;
  readonly factory: RunFactory;
  readonly runs: RunSet;
  readonly clock: Clock;
  /** Aborts when the directory is closed. */
  readonly stop: AbortSignal;
}

/** How many topologies are started or removed before the event loop gets a turn. */
const STEPS_IN_SLICE = 20;

/** Starts, changes and removes topologies as the discoveries define them. */
export class DiscoveredRuns {
  readonly #options: DiscoveredRunsOptions;
  #isOutdated = false;
  #isRunning = false;

  constructor(options: DiscoveredRunsOptions) {
    this.#options = options;
  }

  /** Call it after every change of the discoveries or of the configured topologies. Changes during the work are covered by it. */
  follow(): void {
    this.#isOutdated = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#followAll().finally(() => (this.#isRunning = false));
  }

  /** Never rejects. Gives other work a turn after some topologies, because there may be thousands. */
  async #followAll(): Promise<void> {
    const { clock, stop } = this.#options;
    // After the change that caused it is complete.
    await clock.yield();
    while (this.#isOutdated && !stop.aborted) {
      this.#isOutdated = false;
      for (const [index, step] of this.#steps().entries()) {
        if (stop.aborted) return;
        step();
        if (index % STEPS_IN_SLICE === STEPS_IN_SLICE - 1) await clock.yield();
      }
    }
  }

  #steps(): readonly (() => void)[] {
    const { discoveries, runs } = this.#options;
    const configured = runs.all().filter(({ topology }) => !topology.isDiscovered);
    const wanted = discoveries.topologies(configured.map(({ name }) => name));
    const surplus = runs.all().filter(({ name, topology }) => topology.isDiscovered && !wanted.has(name));
    return [
      ...surplus.map((run) => () => this.#remove(run)),
      ...[...wanted.values()].map((define) => () => this.#bringUp(define())),
    ];
  }

  /** A reload may have replaced it in the meantime. */
  #remove(run: TopologyRun): void {
    const { runs } = this.#options;
    if (runs.get(run.name) === run) runs.remove(run.name);
  }

  /** A topology that runs stays as it is when the new values of its service are not valid. */
  #bringUp(definition: TopologyDefinition | undefined): void {
    if (definition === undefined) return;
    const run = this.#options.runs.get(definition.name);
    if (run === undefined) return this.#start(definition);
    // A reload may have configured it in the meantime.
    if (!run.topology.isDiscovered) return;
    const difference = compareDefinitions(run.definition, definition);
    if (difference === "same") return;
    if (difference === "settings" || !run.isStarted) return this.#start(definition);
    run.redefine(definition);
    void this.#changeProviders(run, definition);
  }

  #start(definition: TopologyDefinition): void {
    const { runs, factory } = this.#options;
    const run = factory.createRun(definition, { isDiscovered: true });
    runs.put(run);
    void run.start(runs.whenEnded(run.name));
  }

  /** When the new providers are refused, the topology is replaced by one that tries to start with them. Never rejects. */
  async #changeProviders(run: TopologyRun, definition: TopologyDefinition): Promise<void> {
    const { runs, stop } = this.#options;
    try {
      await run.service.registry.reload(definition.providers ?? []);
    } catch {
      const isCurrent = runs.get(run.name) === run && run.definition === definition && !run.isEnded;
      if (isCurrent && !stop.aborted) this.#start(definition);
    }
  }
}
