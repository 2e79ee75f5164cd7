import type { ProviderHealth, TopologyStatus } from "@holdfast/core";
import type { ListenerCount } from "./listener-census.ts";
import type { LoopDelay } from "./loop-watch.ts";
import type { PortReport, PortView } from "./working-ports.ts";

/** What a process holds, after a collection of garbage. */
export interface Holdings {
  readonly heapBytes: number;
  /** Buffers included. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Open descriptors; 0 where there is no /proc. */
  readonly descriptors: number;
  /** `process.getActiveResourcesInfo()`: kind → how many. */
  readonly resources: Readonly<Record<string, number>>;
  readonly listeners: ListenerCount;
}

/** The service's process at one moment. */
export interface Sample extends Holdings {
  /** Since the last sample. */
  readonly loop: LoopDelay;
  /** Milliseconds of processor time since the process began. */
  readonly cpuMs: number;
  readonly unhandledRejections: number;
  /** Of the process (`MaxListenersExceededWarning`, ...): name → how many. */
  readonly processWarnings: Readonly<Record<string, number>>;
  readonly status: TopologyStatus;
  readonly seqNo: number;
  readonly members: number;
  /** Lines of the exposition: a leak of labels shows here. */
  readonly metricLines: number;
}

/** What the service went through, from its start. */
export interface Story {
  /** Kind of event → how many. */
  readonly events: Readonly<Record<string, number>>;
  /** `from → to: reason` → how many. */
  readonly switches: Readonly<Record<string, number>>;
  /** Code → how many streams were interrupted with it. */
  readonly interruptions: Readonly<Record<string, number>>;
  /** Status → milliseconds. */
  readonly statusMs: Readonly<Record<string, number>>;
  /** Code → how many warnings. */
  readonly warnings: Readonly<Record<string, number>>;
  readonly ports: PortReport;
}

/** What the service shows at one moment, and what its consumers have made of it. */
export interface View {
  readonly health: Readonly<Record<string, ProviderHealth>>;
  readonly active?: string | undefined;
  readonly status: TopologyStatus;
  readonly isStale: boolean;
  readonly snapshotSeqNo: number;
  readonly blocked: number;
  readonly retained: number;
  /** Of the newest snapshot. */
  readonly members: string;
  readonly channels: string;
  readonly ports: PortView;
}
