import type { Clock, TopologyName } from "@holdfast/core";
import type { StopOptions, StopReport } from "@holdfast/provisioning";
import { BoundedQueue } from "./bounded-queue.ts";
import type { DirectoryChange } from "./directory-change.ts";
import type { TopologyRun } from "./topology-run.ts";

/** How many topologies are drained at the same time, except when all of them end. */
const CONCURRENT_ENDS = 20;
/** A drain that takes longer does not delay others, in milliseconds. */
const END_PATIENCE_MS = 2_000;

/** The topologies of a directory, and those that have been removed and are still being drained. */
export class RunSet {
  readonly #runs = new Map<TopologyName, TopologyRun>();
  /** For each name, the end of the removed topology. */
  readonly #endings = new Map<TopologyName, Promise<void>>();
  readonly #ends: BoundedQueue;
  readonly #onChange: (change: DirectoryChange) => void;

  constructor(clock: Clock, onChange: (change: DirectoryChange) => void) {
    this.#ends = new BoundedQueue({ limit: CONCURRENT_ENDS, patienceMs: END_PATIENCE_MS, clock });
    this.#onChange = onChange;
  }

  get(name: TopologyName): TopologyRun | undefined {
    return this.#runs.get(name);
  }

  /** In the order in which they were added. */
  all(): readonly TopologyRun[] {
    return [...this.#runs.values()];
  }

  /** Adds a topology. The one with the same name, if there is one, is removed. */
  put(run: TopologyRun): void {
    this.remove(run.name);
    this.#runs.set(run.name, run);
    this.#onChange({ type: "appeared", name: run.name });
  }

  /** Removes a topology and drains its consumers in the background. */
  remove(name: TopologyName): void {
    const run = this.#runs.get(name);
    if (run === undefined) return;
    this.#runs.delete(name);
    this.#onChange({ type: "disappeared", name });
    const ending = this.#end(run, this.#endings.get(name)).finally(() => {
      if (this.#endings.get(name) === ending) this.#endings.delete(name);
    });
    this.#endings.set(name, ending);
  }

  /** Resolves when the removed topology with this name has ended, so that its stores are free. */
  async whenEnded(name: TopologyName): Promise<void> {
    await this.#endings.get(name);
  }

  /** Drains all topologies at the same time and waits for them, also for those that have been removed. */
  async close(options: StopOptions): Promise<StopReport> {
    const reports = await Promise.all(
      this.all().map(async (run) => {
        const { unfinished } = await run.end(options);
        return unfinished.map((what) => `${run.name}: ${what}`);
      }),
    );
    await Promise.all(this.#endings.values());
    return { unfinished: reports.flat() };
  }

  async #end(run: TopologyRun, earlier: Promise<void> | undefined): Promise<void> {
    await this.#ends.run(() => run.end());
    await earlier;
  }
}
