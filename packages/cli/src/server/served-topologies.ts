import type { Clock, TopologyName } from "@holdfast/core";
import { TopologyDocuments } from "./documents/topology-documents.ts";
import { TopologyFeed } from "./following/topology-feed.ts";
import type { DocumentPool } from "./sending/document-pool.ts";
import { findTopology, type ServerDirectory } from "./server-directory.ts";
import type { ServerView } from "./server-view.ts";

export interface ServedTopologiesOptions {
  readonly directory: ServerDirectory;
  /** The id of this daemon. */
  readonly instance: string;
  readonly pool: DocumentPool;
  readonly clock: Clock;
}

/** A topology of the directory, with what its readers share. */
export interface ServedTopology {
  readonly view: ServerView;
  readonly documents: TopologyDocuments;
  readonly feed: TopologyFeed;
}

/** The topologies that were requested, with what their readers share. */
export class ServedTopologies implements Disposable {
  readonly #options: ServedTopologiesOptions;
  readonly #byName: Map<TopologyName, ServedTopology> = new Map();
  readonly #unsubscribe: () => void;

  constructor(options: ServedTopologiesOptions) {
    this.#options = options;
    this.#unsubscribe = options.directory.onChange(({ name }) => this.#byName.delete(name));
  }

  /** Throws `TOPOLOGY_UNKNOWN`. */
  get(name: TopologyName): ServedTopology {
    const { directory, instance, pool, clock } = this.#options;
    const view = findTopology(directory, name);
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const documents = new TopologyDocuments({ name, view, instance, pool, clock });
    const feed = new TopologyFeed({ name, view, instance, documents });
    const served = { view, documents, feed };
    this.#byName.set(name, served);
    return served;
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
  }
}
