import {
  throwIfAborted,
  type ClusterProvider,
  type ProbeOptions,
  type ProviderCapabilities,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
  type WatchOptions,
} from "@holdfast/core";
import { ProviderLife } from "@holdfast/core/adapter";
import type { FileProviderParams } from "./file-params.ts";
import { watchTopology } from "./watch-topology.ts";

/** A topology file as a provider. */
export class FileProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<FileProviderParams>;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #context: ProviderContext;
  readonly #path: string;
  readonly #life: ProviderLife;

  /** `path` is the descriptor's, made absolute. */
  constructor(descriptor: ProviderDescriptor<FileProviderParams>, context: ProviderContext, path: string) {
    this.descriptor = descriptor;
    this.#context = context;
    this.#path = path;
    this.#life = new ProviderLife(descriptor.id);
  }

  /** Reads and checks the whole file. Rejects with `LIFECYCLE_STOPPED` once disposed. */
  async probe({ signal }: ProbeOptions): Promise<void> {
    throwIfAborted(signal);
    for await (const _ of this.watch({ signal })) return;
    throwIfAborted(signal);
  }

  /** Throws `LIFECYCLE_STOPPED` once disposed. */
  watch(options: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#life.watch(options.signal, (signal) =>
      watchTopology({
        descriptor: this.descriptor,
        context: this.#context,
        path: this.#path,
        signal,
      }),
    );
  }

  /** Running watches throw `LIFECYCLE_STOPPED`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#life.end();
    return Promise.resolve();
  }
}
