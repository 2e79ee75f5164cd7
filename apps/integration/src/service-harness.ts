import {
  CallJournal,
  createSeededRandom,
  MemoryProviderStore,
  RecordingPartition,
  RecordingPlacement,
  RecordingRemoting,
  VirtualClock,
} from "@holdfast/testing";
import { memory as memoryKind, type MemoryAdapter, type MemoryProvider } from "@holdfast/provider-memory";
import {
  ProvisioningService,
  type ProvisioningServiceOptions,
  type ServiceWarning,
} from "@holdfast/provisioning";
import type { ProviderDescriptorInput, TopologyEvent } from "@holdfast/core";

export const node = (id: string, host = `${id}.local`): { id: string; host: string; port: number } => ({
  id,
  host,
  port: 4_000,
});

export const memory = (
  id: string,
  priority: number,
  members: readonly ReturnType<typeof node>[] = [],
): ProviderDescriptorInput => ({ id, kind: "memory", priority, params: { members } });

/** A service on virtual time, with memory providers that the test controls and ports that record their calls. */
export class ServiceHarness {
  readonly clock: VirtualClock = new VirtualClock();
  readonly adapter: MemoryAdapter = memoryKind.createAdapter();
  readonly journal: CallJournal = new CallJournal();
  readonly placement: RecordingPlacement = new RecordingPlacement({
    journal: this.journal,
    leases: ({ snapshot }) => [...snapshot.members].map(({ id }, i) => ({ resource: `p${i}`, nodeId: id })),
  });
  readonly partition: RecordingPartition = new RecordingPartition({ journal: this.journal });
  readonly remoting: RecordingRemoting = new RecordingRemoting();
  readonly events: TopologyEvent[] = [];
  readonly warnings: ServiceWarning[] = [];
  readonly service: ProvisioningService;

  constructor(options: Partial<ProvisioningServiceOptions> = {}) {
    const { placement, partition, remoting } = this;
    this.service = new ProvisioningService({
      adapters: [this.adapter],
      store: new MemoryProviderStore(),
      ports: { placement, partition, remoting },
      clock: this.clock,
      random: createSeededRandom(11),
      ...options,
    });
    this.service.topology.onEvent((event) => this.events.push(event));
    this.service.on("warning", (warning) => this.warnings.push(warning));
  }

  static async started(
    providers: readonly ProviderDescriptorInput[],
    options: Partial<ProvisioningServiceOptions> = {},
  ): Promise<ServiceHarness> {
    const harness = new ServiceHarness(options);
    await harness.service.start({ providers });
    await harness.clock.settle();
    return harness;
  }

  provider(id: string): MemoryProvider {
    const provider = this.adapter.providers.get(id);
    if (provider === undefined) throw new Error(`no memory provider has the id ${id}`);
    return provider;
  }

  /** Makes the backend of the provider unreachable: running watches fail and new ones are refused. */
  break(id: string): void {
    this.provider(id).refuse();
    this.provider(id).fail();
  }

  get status(): string {
    return this.service.topology.state.status;
  }

  /** Stops the service while its clock advances; returns the unfinished tasks, timers and watches. */
  async stop(
    deadlineMs?: number,
  ): Promise<{ unfinished: readonly string[]; timers: number; watches: number }> {
    const { unfinished } = await this.clock.until(this.service.stop({ deadlineMs }), 60_000);
    const watches = [...this.adapter.providers.values()].reduce((sum, provider) => sum + provider.watches, 0);
    return { unfinished, timers: this.clock.pendingTimers, watches };
  }
}
