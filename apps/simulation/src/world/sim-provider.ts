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
import { neverSettles } from "./never-settles.ts";
import type { SimBackend } from "./sim-backend.ts";
import type { SimParams } from "./sim-params.ts";

export interface SimProviderOptions {
  readonly descriptor: ProviderDescriptor<SimParams>;
  readonly context: ProviderContext;
  readonly backend: SimBackend;
  readonly lateSnapshotMs: number;
  /** Returns the next position in the order of all events. */
  readonly nextMoment: () => number;
  /** Called for failures of its watches. */
  readonly onTrouble: (provider: SimProvider, code: ErrorCode, hadDelivered: boolean) => void;
}

/** An instance of a provider, with facts that only the simulation knows. */
export class SimProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<SimParams>;
  readonly capabilities: { readonly watch: boolean };
  readonly backend: SimBackend;
  readonly heartbeatMs: number;
  readonly lateSnapshotMs: number;
  /** Watches that were started and have neither ended nor been aborted. */
  readonly watches: Set<Connection> = new Set();
  /** Monotonic time of its last failure or late response. */
  troubledAt: number = Number.NEGATIVE_INFINITY;
  /** The moment of its last snapshot or heartbeat. */
  confirmedAt = 0;
  /** Wall-clock milliseconds of its last snapshot or heartbeat. */
  confirmedAtWall: number | undefined;
  /** The revisions of all delivered responses, in order. */
  readonly revisions: string[] = [];
  isDisposed = false;
  /** True when its disposal never ends, because its client was deaf. */
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
      const { behaviour } = this.backend;
      if (behaviour === "hanging") await untilAborted(neverSettles(), either);
      if (behaviour === "deaf") await neverSettles();
    });
  }

  watch({ signal }: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#life.watch(signal, (either) => this.#watch(either, signal));
  }

  /** The open watch, if it has delivered a response. */
  get delivering(): Connection | undefined {
    return [...this.watches].find(
      ({ signal, isClosed, revision }) => !signal.aborted && !isClosed && revision !== undefined,
    );
  }

  /** The last response on the open watch. */
  get answer(): MemberSet | undefined {
    return this.backend.ledger.get(this.delivering?.revision ?? "");
  }

  onFailure(code: ErrorCode, hadDelivered: boolean): void {
    this.markTroubled();
    this.#options.onTrouble(this, code, hadDelivered);
  }

  /** A response was late. */
  markTroubled(): void {
    this.troubledAt = this.backend.clock.monotonic();
  }

  confirm(): void {
    this.confirmedAt = this.#options.nextMoment();
    this.confirmedAtWall = this.backend.clock.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
    this.#life.end();
    this.isStuck = this.backend.behaviour === "deaf";
    if (this.isStuck) await neverSettles();
  }

  async *#watch(either: AbortSignal, outer: AbortSignal): AsyncGenerator<SourceEvent, void> {
    try {
      this.backend.assertOpen();
    } catch (error) {
      this.markTroubled();
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
