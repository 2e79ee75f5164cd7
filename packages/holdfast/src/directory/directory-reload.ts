import {
  callIsolated,
  createDeadline,
  ProvisioningError,
  toAbortError,
  untilAborted,
  type AnyProviderAdapter,
  type Clock,
  type TopologyName,
} from "@holdfast/core";
import type { DescriptorProblem, PreparedChange, PreparedStart } from "@holdfast/provisioning";
import type { DiscoveryDefinition } from "../discovery/discovery-definition.ts";
import { findDiscoveryProblems } from "../discovery/find-discovery-problems.ts";
import { compareDefinitions } from "./compare-definitions.ts";
import type { DirectoryDefinition } from "./directory-definition.ts";
import { prepareJointly } from "./joint-change.ts";
import { planTopologies, toSettingProblem, type TopologyPlan, type TopologyTask } from "./plan-topologies.ts";
import type { RunFactory } from "./run-factory.ts";
import type { RunSet } from "./run-set.ts";
import type { TopologyDefinition } from "./topology-definition.ts";

export interface DirectoryReloadOptions {
  readonly adapters: readonly AnyProviderAdapter[];
  readonly factory: RunFactory;
  readonly runs: RunSet;
  readonly clock: Clock;
  /** Aborts when the directory is closed. */
  readonly stop: AbortSignal;
}

/** What a reload has changed. All names are sorted. */
export interface ReloadReport {
  readonly appeared: readonly TopologyName[];
  readonly disappeared: readonly TopologyName[];
  /** Other providers are in force. */
  readonly changed: readonly TopologyName[];
  /** A setting has changed, so the topology was replaced by one with a new log. */
  readonly restarted: readonly TopologyName[];
}

export interface AppliedReload {
  readonly report: ReloadReport;
  /** Resolves when the new and replaced topologies have started. Never rejects. */
  readonly started: Promise<unknown>;
}

/** The checked, proven and saved change of each topology that changes. */
export type PreparedReload = ReadonlyMap<TopologyName, PreparedChange | PreparedStart>;

/** How long the stores of one topology may take before the reload is refused, in milliseconds: to be read, and to be written. */
const PREPARE_WITHIN_MS = 30_000;
const SAVE_WITHIN_MS = 10_000;

/** The steps of a reload: plan, prepare, apply. */
export class DirectoryReload {
  readonly #options: DirectoryReloadOptions;

  constructor(options: DirectoryReloadOptions) {
    this.#options = options;
  }

  /** Decides what to do for each topology. Throws `VALIDATION_*` for an invalid definition, naming every problem. */
  plan({ topologies, discoveries = [] }: DirectoryDefinition): readonly TopologyPlan[] {
    const { adapters, factory } = this.#options;
    return planTopologies(topologies, {
      adapters,
      taskOf: (definition) => this.#taskOf(definition),
      createService: (definition) => factory.createService(definition),
      otherProblems: discoveries.flatMap((definition, index) => {
        const at = definition.at ?? ["discover", index];
        return [
          ...findDiscoveryProblems(definition, at, adapters),
          ...this.#findSettingProblems(definition, at),
        ];
      }),
    });
  }

  /** Checks, proves and saves the changes of all topologies, or of none; then nothing has changed. */
  async prepare(plans: readonly TopologyPlan[], signal: AbortSignal | undefined): Promise<PreparedReload> {
    const { factory, stop, clock } = this.#options;
    const either = signal === undefined ? stop : AbortSignal.any([signal, stop]);
    const tasks = plans
      .filter(({ task }) => task !== "keep")
      .map((plan): [TopologyName, () => Promise<PreparedChange | PreparedStart>] => [
        plan.definition.name,
        () => factory.starts.run(() => this.#prepareOne(plan, either), either),
      ]);
    try {
      const parts = await prepareJointly(new Map(tasks), { clock, saveTimeoutMs: SAVE_WITHIN_MS });
      if (!stop.aborted) return parts;
      for (const part of parts.values()) part[Symbol.dispose]();
      throw toAbortError(stop);
    } catch (error) {
      for (const { service } of plans) void service?.stop();
      throw error;
    }
  }

  /** Changes everything in one turn of the event loop, so that no reader sees a mixture. */
  apply(plans: readonly TopologyPlan[], prepared: PreparedReload): AppliedReload {
    const { runs } = this.#options;
    const before = new Map(runs.all().map((run) => [run.name, run]));
    const wanted = new Set(plans.map(({ definition }) => definition.name));
    const disappeared = [...before.keys()].filter(
      (name) => !wanted.has(name) && before.get(name)?.topology.isDiscovered === false,
    );
    for (const name of disappeared) runs.remove(name);
    const changed: TopologyName[] = [];
    const starting: Promise<void>[] = [];
    for (const plan of plans) {
      const { name } = plan.definition;
      const part = prepared.get(name);
      if (part === undefined) this.#keep(plan);
      else if ("set" in part) {
        if (part.isChanged) changed.push(name);
        this.#update(plan, part);
      } else starting.push(this.#replace(plan, part));
    }
    const created = plans.filter(({ task }) => task === "create").map(({ definition }) => definition.name);
    return {
      report: {
        appeared: created.filter((name) => !before.has(name)).sort(),
        disappeared: disappeared.sort(),
        changed: changed.sort(),
        restarted: created.filter((name) => before.has(name)).sort(),
      },
      started: Promise.all(starting),
    };
  }

  #taskOf(definition: TopologyDefinition): TopologyTask {
    const run = this.#options.runs.get(definition.name);
    if (run === undefined || run.isEnded || run.topology.isDiscovered) return "create";
    const difference = compareDefinitions(run.definition, definition);
    if (difference === "same") return "keep";
    if (difference === "settings") return "create";
    if (run.isStarted) return "update";
    const isStored = definition.providers === undefined && run.definition.providers === undefined;
    // Its next attempt to start reads the stored set.
    return isStored ? "keep" : "create";
  }

  #findSettingProblems(
    { settings }: DiscoveryDefinition,
    at: readonly PropertyKey[],
  ): readonly DescriptorProblem[] {
    try {
      void this.#options.factory.createService({ ...settings, name: "service" }, true).stop();
      return [];
    } catch (error) {
      return [toSettingProblem(error, at)];
    }
  }

  async #prepareOne(
    { definition, service }: TopologyPlan,
    signal: AbortSignal,
  ): Promise<PreparedChange | PreparedStart> {
    const { runs, clock, factory } = this.#options;
    const { name, providers } = definition;
    const error = () =>
      new ProvisioningError("STORE_IO", `its stores have not responded within ${PREPARE_WITHIN_MS} ms`);
    using deadline = createDeadline({ afterMs: PREPARE_WITHIN_MS, clock, signal, error });
    const run = runs.get(name);
    if (service === undefined && run !== undefined)
      return await run.service.registry.prepare(providers, { signal: deadline.signal });
    await untilAborted(runs.whenEnded(name), deadline.signal);
    const created = service ?? factory.createService(definition);
    return await created.prepareStart({ providers, signal: deadline.signal });
  }

  #keep({ definition }: TopologyPlan): void {
    const run = this.#options.runs.get(definition.name);
    run?.redefine(definition);
    if (run?.isStarted === false) run.retryNow();
  }

  #update({ definition }: TopologyPlan, change: PreparedChange): void {
    this.#options.runs.get(definition.name)?.redefine(definition);
    // Throws only when the owner has closed this topology in the meantime.
    callIsolated(() => change.apply());
  }

  #replace({ definition, service }: TopologyPlan, prepared: PreparedStart): Promise<void> {
    const { runs, factory } = this.#options;
    const run = factory.createRun(definition, { service });
    runs.put(run);
    return run.startPrepared(prepared, runs.whenEnded(run.name));
  }
}
