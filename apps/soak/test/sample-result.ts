import type { Sample } from "../src/sample.ts";
import { SOAK_PACE } from "../src/soak-pace.ts";
import type { SoakResult, TimedSample } from "../src/soak-result.ts";

const MIB = 1_048_576;
const DURATION_MS = 1_200_000;

export const SAMPLE: Sample = {
  heapBytes: 50 * MIB,
  externalBytes: 25 * MIB,
  rssBytes: 300 * MIB,
  descriptors: 25,
  resources: { PipeWrap: 1, TCPSocketWrap: 2, Timeout: 6 },
  listeners: { onEmitters: 60, onSignals: 14, most: 14 },
  loop: { late: { p50: 0, p99: 10, max: 60 }, own: { p99: 5, max: 40 } },
  cpuMs: 1_000,
  unhandledRejections: 0,
  processWarnings: {},
  status: "ready",
  seqNo: 1_000,
  members: 10_000,
  metricLines: 180,
};

/** A run of 20 minutes without problems. `change` modifies each sample according to its share of the time. */
export function resultOf(change: (sample: Sample, share: number) => Sample = (sample) => sample): SoakResult {
  const samples = Array.from({ length: 240 }, (_, i): TimedSample => ({
    ...change(SAMPLE, i / 240),
    atMs: (i / 240) * DURATION_MS,
  }));
  return {
    plan: { durationMs: DURATION_MS, members: 10_000, churn: 0.01, seed: 1, pace: SOAK_PACE },
    versions: ["Kubernetes 1", "Consul 2"],
    before: [change(SAMPLE, 0)],
    samples,
    after: [change(SAMPLE, 1)],
    changes: 120_000,
    failedWrites: 3,
    faults: { "consul: kill": 4 },
    summary: {
      events: { snapshot: 900 },
      switches: { "kubernetes → consul: timeout": 4 },
      interruptions: { STREAM_SILENT: 4 },
      statusMs: { ready: 1_190_000, unavailable: 10_000 },
      warnings: {},
      ports: {
        ticks: 900,
        notices: 10,
        remoteEvents: 20_000,
        fewestMembers: 9_900,
        violations: [],
        isolated: 9,
        restored: 9,
      },
    },
    differences: [],
    ending: { unfinished: [], exitCode: 0, remains: {} },
    readers: {
      readyMs: [2, 3, 40],
      residentBytes: 300 * MIB,
      disconnected: { pipelining: 90, flooding: 400 },
      differences: [],
      exitCode: 0,
      err: "",
    },
  };
}
