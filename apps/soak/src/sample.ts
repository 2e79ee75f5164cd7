import type { ProviderHealth, TopologyStatus } from "@holdfast/core";
import type { ListenerCount } from "./listener-census.ts";
import type { LoopDelay } from "./loop-watch.ts";
import type { PortReport, PortView } from "./working-ports.ts";

/** The resources that a process holds, measured after a garbage collection. */
export interface Holdings {
  readonly heapBytes: number;
  /** Includes buffers. */
  readonly externalBytes: number;
  readonly rssBytes: number;
  /** Open file descriptors; 0 on a system without /proc. */
  readonly descriptors: number;
  /** The counts by kind from `process.getActiveResourcesInfo()`. */
  readonly resources: Readonly<Record<string, number>>;
  readonly listeners: ListenerCount;
}

/** The state of the service's process at one moment. */
export interface Sample extends Holdings {
  /** Since the last sample. */
  readonly loop: LoopDelay;
  /** Milliseconds of processor time since the process began. */
  readonly cpuMs: number;
  readonly unhandledRejections: number;
  /** Warnings that Node emitted for this process (such as `MaxListenersExceededWarning`): counts by name. */
  readonly processWarnings: Readonly<Record<string, number>>;
  readonly status: TopologyStatus;
  readonly seqNo: number;
  readonly members: number;
  /** The number of lines in the metrics output; it grows when labels leak. */
  readonly metricLines: number;
}

/** What happened to the service since its start. */
export interface RunSummary {
  /** Counts by kind of event. */
  readonly events: Readonly<Record<string, number>>;
  /** Counts by `from → to: reason`. */
  readonly switches: Readonly<Record<string, number>>;
  /** The number of interrupted streams by error code. */
  readonly interruptions: Readonly<Record<string, number>>;
  /** Milliseconds spent in each status. */
  readonly statusMs: Readonly<Record<string, number>>;
  /** Counts by warning code. */
  readonly warnings: Readonly<Record<string, number>>;
  readonly ports: PortReport;
}

/** What the service shows at one moment, and the state of its consumers. */
export interface View {
  readonly health: Readonly<Record<string, ProviderHealth>>;
  readonly active?: string | undefined;
  readonly status: TopologyStatus;
  readonly isStale: boolean;
  readonly snapshotSeqNo: number;
  readonly blocked: number;
  readonly retained: number;
  /** Digest of the members of the newest snapshot. `channels` is the same without zones. */
  readonly members: string;
  readonly channels: string;
  readonly ports: PortView;
}
