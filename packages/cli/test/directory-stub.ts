import type { TopologyName } from "@holdfast/core";
import type { DirectoryChange, ServerDirectory } from "../src/server/server-directory.ts";
import type { ServerView } from "../src/server/server-view.ts";

const METRICS = { contentType: "text/plain; version=0.0.4", text: "holdfast_up 1\n" };

/** A directory whose topologies the test adds and removes. */
export class DirectoryStub implements ServerDirectory {
  readonly metrics: ServerDirectory["metrics"];
  /** What `isComplete` returns. */
  isDiscovered: boolean = true;
  readonly #views = new Map<TopologyName, ServerView>();
  readonly #listeners = new Set<(change: DirectoryChange) => unknown>();

  constructor(metrics: ServerDirectory["metrics"] = async () => METRICS) {
    this.metrics = metrics;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  isComplete(): boolean {
    return this.isDiscovered;
  }

  names(): readonly TopologyName[] {
    return [...this.#views.keys()].sort();
  }

  find(name: TopologyName): ServerView | undefined {
    return this.#views.get(name);
  }

  onChange(listener: (change: DirectoryChange) => unknown): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  add(name: TopologyName, view: ServerView): void {
    this.#views.set(name, view);
    this.#tell({ type: "appeared", name });
  }

  remove(name: TopologyName): void {
    this.#views.delete(name);
    this.#tell({ type: "disappeared", name });
  }

  #tell(change: DirectoryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
