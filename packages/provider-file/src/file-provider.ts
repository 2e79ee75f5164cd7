import {
  ProvisioningError,
  throwIfAborted,
  type ClusterProvider,
  type ProbeOptions,
  type ProviderCapabilities,
  type ProviderContext,
  type ProviderDescriptor,
  type ProviderEvent,
  type WatchOptions,
} from "@holdfast/core";
import type { FileProviderParams } from "./file-params.ts";
import { watchTopology } from "./watch-topology.ts";

/** A topology file as a provider. */
export class FileProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<FileProviderParams>;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #context: ProviderContext;
  readonly #path: string;
  readonly #stop = new AbortController();

  /** `path` is the descriptor's, made absolute. */
  constructor(descriptor: ProviderDescriptor<FileProviderParams>, context: ProviderContext, path: string) {
    this.descriptor = descriptor;
    this.#context = context;
    this.#path = path;
  }

  /** Reads and checks the whole file. Rejects with `LIFECYCLE_STOPPED` once disposed. */
  async probe({ signal }: ProbeOptions): Promise<void> {
    throwIfAborted(signal);
    for await (const _ of this.watch({ signal })) return;
    throwIfAborted(signal);
  }

  /** Throws `LIFECYCLE_STOPPED` once disposed. */
  async *watch({ signal }: WatchOptions): AsyncGenerator<ProviderEvent, void> {
    if (signal.aborted) return;
    yield* watchTopology({
      descriptor: this.descriptor,
      context: this.#context,
      path: this.#path,
      signal: AbortSignal.any([signal, this.#stop.signal]),
    });
    if (!signal.aborted) throwIfAborted(this.#stop.signal);
  }

  /** Running watches throw `LIFECYCLE_STOPPED`. */
  [Symbol.asyncDispose](): Promise<void> {
    const message = `the provider "${this.descriptor.id}" was disposed`;
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", message));
    return Promise.resolve();
  }
}
