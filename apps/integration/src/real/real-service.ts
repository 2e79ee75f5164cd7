import {
  CallJournal,
  MemoryProviderStore,
  RecordingPartition,
  RecordingPlacement,
  RecordingRemoting,
} from "@holdfast/testing";
import type { ProviderDescriptorInput, ProviderHealth, TopologyEvent, TopologyStatus } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { kubernetes } from "@holdfast/provider-kubernetes";
import { ProvisioningService } from "@holdfast/provisioning";
import { eventually } from "@holdfast-apps/lab";

/** A service on real servers and in real time, with short timeouts and ports that record their calls. */
export class RealService {
  readonly journal: CallJournal = new CallJournal();
  readonly placement: RecordingPlacement = new RecordingPlacement({
    journal: this.journal,
    leases: ({ snapshot }) => [...snapshot.members].map(({ id }, i) => ({ resource: `p${i}`, nodeId: id })),
  });
  readonly partition: RecordingPartition = new RecordingPartition({ journal: this.journal });
  readonly remoting: RecordingRemoting = new RecordingRemoting({ journal: this.journal });
  readonly events: TopologyEvent[] = [];
  readonly service: ProvisioningService;

  constructor() {
    const { placement, partition, remoting } = this;
    this.service = new ProvisioningService({
      adapters: [consul.createAdapter(), kubernetes.createAdapter()],
      store: new MemoryProviderStore(),
      ports: { placement, partition, remoting },
      health: {
        timeoutMs: 3_000,
        maxErrors: 3,
        backoffInitialMs: 100,
        backoffMaxMs: 500,
        cooldownMs: 1_000,
      },
    });
    this.service.topology.onEvent((event) => this.events.push(event));
  }

  static async started(providers: readonly ProviderDescriptorInput[]): Promise<RealService> {
    const started = new RealService();
    await started.service.start({ providers });
    return started;
  }

  /** Ids of the nodes to which Remoting has a channel. */
  get channels(): readonly string[] {
    const open = new Set<string>();
    for (const { kind, node } of this.remoting.events) {
      if (kind === "join") open.add(node.id);
      if (kind === "leave") open.delete(node.id);
    }
    return [...open].toSorted();
  }

  /** All reported statuses, in order. */
  get statuses(): readonly TopologyStatus[] {
    return this.events.flatMap((event) => (event.kind === "status_changed" ? [event.to] : []));
  }

  healthOf(providerId: string): ProviderHealth | undefined {
    return this.service.providerHealth().find((report) => report.providerId === providerId)?.health;
  }

  /** Waits until the topology is `ready` with a snapshot of this provider, which is healthy. */
  async isReadyFrom(providerId: string): Promise<void> {
    const wanted = { status: "ready", isStale: false, providerId, health: "healthy" };
    await eventually(() => {
      const { status, isStale, snapshot } = this.service.topology.state;
      const health = this.healthOf(providerId);
      const seen = { status, isStale, providerId: snapshot?.providerId, health };
      if (JSON.stringify(seen) !== JSON.stringify(wanted))
        throw new Error(`not ${JSON.stringify(wanted)} but ${JSON.stringify(seen)}\n${this.describe()}`);
    });
  }

  /** The switches that the port has acknowledged, as `a → b: reason`. */
  switches(port: "placement" | "partition" | "remoting"): readonly string[] {
    return this[port].notices.flatMap((notice) =>
      notice.kind === "provider_changed" ? [`${notice.from} → ${notice.to}: ${notice.reason}`] : [],
    );
  }

  /** Waits until all three ports have exactly these members from this provider. */
  async agrees(providerId: string, ...ids: readonly string[]): Promise<void> {
    const wanted = { providerId, ids: ids.toSorted() };
    await eventually(() => {
      const seen = [this.placement.ticks.at(-1), this.partition.ticks.at(-1)].map((tick) => ({
        providerId: tick?.snapshot.providerId,
        ids: Array.from(tick?.snapshot.members ?? [], ({ id }) => id),
      }));
      const leased = this.partition.leases.at(-1)?.leases.map(({ nodeId }) => nodeId);
      const all = { ticks: seen, leased, channels: this.channels };
      const expected = { ticks: [wanted, wanted], leased: wanted.ids, channels: wanted.ids };
      if (JSON.stringify(all) !== JSON.stringify(expected))
        throw new Error(`not ${JSON.stringify(expected)} but ${JSON.stringify(all)}\n${this.describe()}`);
    });
  }

  /** Describes all events, one per line. */
  describe(): string {
    return this.events
      .map((event) => {
        const { seqNo, kind } = event;
        if (event.kind === "snapshot") return `${seqNo} snapshot of ${event.snapshot.members.size}`;
        const { at: _, epoch: __, seqNo: ___, kind: ____, ...rest } = event;
        return `${seqNo} ${kind} ${JSON.stringify(rest)}`;
      })
      .join("\n");
  }
}
