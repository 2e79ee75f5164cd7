import {
  sleep,
  throwIfAborted,
  untilAborted,
  type ClusterProvider,
  type ErrorCode,
  type MemberSet,
  type ProbeOptions,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
  type WatchOptions,
} from "@holdfast/core";
import { ProviderLife } from "@holdfast/core/adapter";
import { Connection } from "./connection.ts";
import { never } from "./never.ts";
import type { SimBackend } from "./sim-backend.ts";
import type { SimParams } from "./sim-params.ts";

export interface SimProviderOptions {
  readonly descriptor: ProviderDescriptor<SimParams>;
  readonly context: ProviderContext;
  readonly backend: SimBackend;
  readonly lateSnapshotMs: number;
  /** Where things stand in the order of all that happens. */
  readonly nextMoment: () => number;
  /** What happens to its watches. */
  readonly onTrouble: (provider: SimProvider, code: ErrorCode, hadDelivered: boolean) => void;
}

/** An instance of a provider, and what only the simulation knows of it. */
export class SimProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<SimParams>;
  readonly capabilities: { readonly watch: boolean };
  readonly backend: SimBackend;
  readonly heartbeatMs: number;
  readonly lateSnapshotMs: number;
  /** Watches that were begun and neither ended nor told to. */
  readonly watches: Set<Connection> = new Set();
  /** Monotonic; the last time it gave the service reason to think ill of it. */
  troubledAt: number = Number.NEGATIVE_INFINITY;
  /** The moment of its last snapshot or heartbeat. */
  confirmedAt = 0;
  /** Wall-clock milliseconds, of the same. */
  confirmedAtWall: number | undefined;
  /** Of every answer that it has given, in order. */
  readonly revisions: string[] = [];
  isDisposed = false;
  /** Its disposal never ends: its client was deaf. */
  isStuck = false;
  readonly #life: ProviderLife;
  readonly #options: SimProviderOptions;

  constructor(options: SimProviderOptions) {
    const { descriptor, context, backend, lateSnapshotMs } = options;
    this.#options = options;
    this.descriptor = descriptor;
    this.capabilities = { watch: descriptor.params.canWatch };
    this.backend = backend;
    this.heartbeatMs = context.heartbeatMs;
    this.lateSnapshotMs = lateSnapshotMs;
    this.#life = new ProviderLife(descriptor.id);
  }

  async probe({ signal }: ProbeOptions): Promise<void> {
    const { clock } = this.backend;
    await this.#life.probe(signal, async (either) => {
      if (this.backend.latencyMs > 0) await sleep(this.backend.latencyMs, { clock, signal: either });
      throwIfAborted(either);
      this.backend.assertOpen();
      const { mood } = this.backend;
      if (mood === "hanging") await untilAborted(never(), either);
      if (mood === "deaf") await never();
    });
  }

  watch({ signal }: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#life.watch(signal, (either) => this.#watch(either, signal));
  }

  /** The watch that is open, and has given an answer. */
  get delivering(): Connection | undefined {
    return [...this.watches].find(
      ({ signal, isClosed, revision }) => !signal.aborted && !isClosed && revision !== undefined,
    );
  }

  /** What it answered last on the watch that is open. */
  get answer(): MemberSet | undefined {
    return this.backend.ledger.get(this.delivering?.revision ?? "");
  }

  suffer(code: ErrorCode, hadDelivered: boolean): void {
    this.ail();
    this.#options.onTrouble(this, code, hadDelivered);
  }

  /** It came late. */
  ail(): void {
    this.troubledAt = this.backend.clock.monotonic();
  }

  confirm(): void {
    this.confirmedAt = this.#options.nextMoment();
    this.confirmedAtWall = this.backend.clock.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
    this.#life.end();
    this.isStuck = this.backend.mood === "deaf";
    if (this.isStuck) await never();
  }

  async *#watch(either: AbortSignal, outer: AbortSignal): AsyncGenerator<SourceEvent, void> {
    try {
      this.backend.assertOpen();
    } catch (error) {
      this.ail();
      throw error;
    }
    const connection = new Connection(this.backend, this, either, outer);
    this.watches.add(connection);
    try {
      yield* connection.events;
    } finally {
      connection.close();
      this.watches.delete(connection);
    }
  }
}
