import { OwnershipLane, RemotingBridge } from "@holdfast/bridges";
import {
  type RemotingPort,
  createSnapshot,
  EventChannel,
  systemClock,
  type ClusterProvider,
  type MemberSet,
  type ProviderCapabilities,
  type ProviderDescriptor,
  type SourceEvent,
  type ProviderId,
  type TopologyEvent,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";

/**
 * A provider without a backend. It sends what it is given at once, so that only the path from failover to the ports is
 * measured.
 */
export class DirectProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #channels = new Set<EventChannel<SourceEvent>>();
  #members: MemberSet;

  constructor(id: ProviderId, priority: number, members: MemberSet) {
    this.descriptor = { id, kind: "direct", priority, params: {} };
    this.#members = members;
  }

  get members(): MemberSet {
    return this.#members;
  }

  publish(members: MemberSet): void {
    this.#members = members;
    for (const channel of this.#channels) channel.push(this.#event());
  }

  end(): void {
    for (const channel of this.#channels) channel.push({ type: "ended" });
  }

  probe(): Promise<void> {
    return Promise.resolve();
  }

  watch({ signal }: { readonly signal: AbortSignal }): AsyncIterable<SourceEvent> {
    const channel = new EventChannel<SourceEvent>(signal);
    this.#channels.add(channel);
    channel.push(this.#event());
    return channel;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  #event(): SourceEvent {
    const providerId = this.descriptor.id;
    return {
      type: "snapshot",
      snapshot: createSnapshot({ providerId, members: this.#members, observedAt: Date.now() }),
    };
  }
}

const notify = () => undefined;

/** The path from failover to the three ports. The ports only count. */
export class Pipeline implements AsyncDisposable {
  readonly hub: WatchHub;
  readonly #failover: Failover;
  readonly #lanes: readonly AsyncDisposable[];
  readonly #waiting = new Set<() => void>();
  #placementAt = 0;
  #partitionAt = 0;
  #remotingAt = 0;
  /** The number of events that Remoting received. */
  remoteEvents = 0;

  constructor(providers: readonly ClusterProvider[]) {
    const clock = systemClock;
    const random = Math.random;
    this.#failover = new Failover({ providers, clock, random });
    this.hub = new WatchHub({ source: this.#failover, clock, random });
    const source = this.hub;
    const remoting: RemotingPort = {
      notify,
      applyEvents: (events) => {
        this.remoteEvents += events.length;
        this.#remotingAt = events.at(-1)?.seqNo ?? 0;
        this.#resolveWaiting();
      },
    };
    this.#lanes = [
      new OwnershipLane({
        source,
        clock,
        random,
        placement: {
          notify,
          applySnapshot: ({ seqNo }) => {
            this.#placementAt = seqNo;
            this.#resolveWaiting();
          },
        },
        partition: {
          notify,
          publishLeases: notify,
          applySnapshot: ({ seqNo }) => {
            this.#partitionAt = seqNo;
          },
        },
      }),
      new RemotingBridge({ source, port: remoting, blocks: this.hub, clock, random }),
    ];
  }

  start(): void {
    this.hub.start();
  }

  onEvent(listener: (event: TopologyEvent) => void): () => void {
    return this.hub.onEvent(listener);
  }

  /** Resolves when `isDone` returns true. It is called after each call of a port. */
  async until(isDone: (pipeline: Pipeline) => boolean): Promise<void> {
    while (!isDone(this)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
    }
  }

  /** True when Placement and Partition have a snapshot newer than `seqNo`. */
  isOwnershipAfter(seqNo: number): boolean {
    return this.#placementAt > seqNo && this.#partitionAt > seqNo;
  }

  isRemotingAfter(seqNo: number): boolean {
    return this.#remotingAt > seqNo;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lane of this.#lanes) await lane[Symbol.asyncDispose]();
    await this.hub[Symbol.asyncDispose]();
    await this.#failover[Symbol.asyncDispose]();
  }

  #resolveWaiting(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
