import type { Sample } from "./sample.ts";

export interface Measure {
  readonly name: string;
  readonly of: (sample: Sample) => number;
  /** An increase of at most this much is not counted as growth. */
  readonly slack: number;
}

const MIB = 1_048_576;
const resources = (sample: Sample, isIt: (kind: string) => boolean) =>
  Object.entries(sample.resources).reduce((sum, [kind, count]) => sum + (isIt(kind) ? count : 0), 0);

/** Counts that must not grow during a run. The slack is what one provider additionally holds while it connects. */
export const COUNTS: readonly Measure[] = [
  { name: "descriptors", of: ({ descriptors }) => descriptors, slack: 6 },
  { name: "timers", of: (sample) => resources(sample, (kind) => kind === "Timeout"), slack: 6 },
  { name: "sockets", of: (sample) => resources(sample, (kind) => kind.includes("Wrap")), slack: 4 },
  { name: "listeners on emitters", of: ({ listeners }) => listeners.onEmitters, slack: 40 },
  { name: "listeners on signals", of: ({ listeners }) => listeners.onSignals, slack: 15 },
  { name: "listeners on one object", of: ({ listeners }) => listeners.most, slack: 10 },
];

/** Memory in use after a garbage collection, in MiB. */
export const MEMORY: readonly Measure[] = [
  { name: "heap, MiB", of: ({ heapBytes }) => heapBytes / MIB, slack: 4 },
  { name: "external and buffers, MiB", of: ({ externalBytes }) => externalBytes / MIB, slack: 20 },
];

/** Shown in the table but not judged: the resident size depends on when the garbage collector runs. */
export const RESIDENT: Measure = {
  name: "resident, MiB",
  of: ({ rssBytes }) => rssBytes / MIB,
  slack: Number.POSITIVE_INFINITY,
};
