import {
  createDeadline,
  ProvisioningError,
  systemClock,
  untilAborted,
  type ClusterProvider,
  type SourceEvent,
  type ProviderSnapshot,
} from "@holdfast/core";

const PATIENCE_MS = 10_000;

/** Reads one watch on demand, and waits at most ten seconds for each result. */
export class WatchRecorder implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #iterator: AsyncIterator<SourceEvent>;

  constructor(provider: ClusterProvider) {
    this.#iterator = provider.watch({ signal: this.#controller.signal })[Symbol.asyncIterator]();
  }

  abort(): void {
    this.#controller.abort();
  }

  /** Returns the next event, or `undefined` at the end of the watch. */
  async next(): Promise<SourceEvent | undefined> {
    const result = await inTime(this.#iterator.next());
    return result.done === true ? undefined : result.value;
  }

  /** Returns the next event that is not a heartbeat. */
  async nextChange(): Promise<SourceEvent | undefined> {
    for (;;) {
      const event = await this.next();
      if (event?.type !== "heartbeat") return event;
    }
  }

  async nextSnapshot(): Promise<ProviderSnapshot> {
    const event = await this.nextChange();
    if (event?.type === "snapshot") return event.snapshot;
    throw new Error(`expected a snapshot, got ${event?.type ?? "the end"}`);
  }

  async nextPorts(): Promise<readonly number[]> {
    return Array.from((await this.nextSnapshot()).members, ({ port }) => port);
  }

  /** Returns the error of the watch, after any heartbeats. */
  async failure(): Promise<unknown> {
    try {
      const event = await this.nextChange();
      return new Error(`expected a failure, got ${event?.type ?? "the end"}`);
    } catch (error) {
      return error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await inTime(this.#iterator.return?.());
  }
}

/** Settles as `work` does, or rejects after ten seconds. */
export async function inTime<T>(work: PromiseLike<T> | T): Promise<T> {
  using deadline = createDeadline({
    clock: systemClock,
    afterMs: PATIENCE_MS,
    error: () => new ProvisioningError("STREAM_SILENT", `nothing was received within ${PATIENCE_MS} ms`),
  });
  return await untilAborted(work, deadline.signal);
}
