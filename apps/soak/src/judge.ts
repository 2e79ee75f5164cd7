import { COUNTS, MEMORY } from "./measures.ts";
import { toQuarters } from "./quarters.ts";
import type { Sample } from "./sample.ts";
import type { SoakResult, TimedSample } from "./soak-result.ts";
import { median, slopeOf } from "./statistics.ts";

/** One thing that has to hold. */
export interface Verdict {
  readonly what: string;
  readonly holds: boolean;
  /** What was seen. */
  readonly seen: string;
}

/** No fault may make the members look fewer than this share of what they are. */
const LEAST_SHARE = 0.95;
/** Memory may grow by this share of itself, beside the slack of the measure. */
const MEMORY_SHARE = 0.05;
/** At rest the same is held before and after, but for a connection that a pool has kept: a socket and what listens to it. */
const REST_SLACK = 2;
const LISTENERS_A_SOCKET = 12;
/**
 * How long this thread may run before a timer gets its turn, in milliseconds, collections of garbage included. Generous: on a
 * busy machine work piles up while the thread waits for a processor, and is then done in one turn.
 */
const LONGEST_TURN_MS = 500;
const LONG_TURN_MS = 250;

/** The daemon that hostile readers attack: the heap of 10,000 members, code, and `http.maxReaderMemoryMb`. */
const READ_DAEMON_MIB = 600;
const MIB = 1_048_576;

/** What holds after a run of any length. */
export function judgeEnd(result: SoakResult): readonly Verdict[] {
  const { before, samples, after, story, differences, ending, faults, plan, readers } = result;
  const slowest = Math.max(0, ...readers.readyMs);
  const { violations, fewestMembers = 0 } = story.ports;
  const least = Math.floor(plan.members * LEAST_SHARE);
  const switches = sumOf(story.switches);
  const last = after.at(-1);
  const unavailableMs = story.statusMs["unavailable"] ?? 0;
  return [
    {
      what: "in the end everybody has what the servers list",
      holds: differences.length === 0,
      seen: differences.join("; ") || "equal",
    },
    {
      what: "every promise of order was kept to the ports",
      holds: violations.length === 0,
      seen: violations.join("; ") || `${story.ports.ticks} ticks`,
    },
    {
      what: `never fewer than ${least} members were shown`,
      holds: fewestMembers >= least,
      seen: `${fewestMembers}`,
    },
    {
      what: "members were isolated and restored",
      holds: story.ports.isolated > 0 && story.ports.restored > 0,
      seen: `${story.ports.isolated} isolated, ${story.ports.restored} restored`,
    },
    {
      what: "faults happened, and were felt: streams broke, providers were switched, both were gone",
      holds: Object.keys(faults).length > 0 && switches > 0 && unavailableMs > 0,
      seen: `${sumOf(faults)} faults, ${sumOf(story.interruptions)} interruptions, ${switches} switches, ${seconds(unavailableMs)} unavailable`,
    },
    {
      what: "no promise was rejected without being handled, and Node warned of nothing",
      holds: last?.unhandledRejections === 0 && sumOf(last.processWarnings) === 0,
      seen: `${last?.unhandledRejections} rejections, warnings ${JSON.stringify(last?.processWarnings)}`,
    },
    ...COUNTS.map(({ name, of }) => {
      const [was, is] = [leastOf(before, of), leastOf(after, of)];
      const slack = name.startsWith("listeners") ? LISTENERS_A_SOCKET : REST_SLACK;
      return {
        what: `${name} at rest: as before, or ${slack} more at most`,
        holds: is <= was + slack,
        seen: `${was} before, ${is} after`,
      };
    }),
    {
      what: "samples were taken throughout",
      holds: samples.length > 0 && toQuarters(samples, plan.durationMs).every(({ length }) => length > 0),
      seen: `${samples.length}`,
    },
    {
      what: `hostile readers: every /readyz was answered within the health timeout of ${plan.pace.health.timeoutMs} ms`,
      holds: readers.readyMs.length > 0 && slowest < (plan.pace.health.timeoutMs ?? Infinity),
      seen: `${readers.readyMs.length} answers, median ${median(readers.readyMs).toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`,
    },
    {
      what: `hostile readers: the daemon never had more than ${READ_DAEMON_MIB} MiB`,
      holds: readers.residentBytes <= READ_DAEMON_MIB * MIB,
      seen: `${(readers.residentBytes / MIB).toFixed(0)} MiB`,
    },
    {
      what: "hostile readers: pipelining clients were disconnected; another follower got every event and has the members",
      holds: readers.differences.length === 0 && (readers.disconnected["pipelining"] ?? 0) > 0,
      seen:
        readers.differences.slice(0, 3).join("; ") || `disconnected ${JSON.stringify(readers.disconnected)}`,
    },
    {
      what: "hostile readers: the daemon ended with 0 and had nothing to complain of",
      holds: readers.exitCode === 0 && readers.err === "",
      seen: `exit ${readers.exitCode ?? "none"}, ${readers.err.slice(0, 200) || "nothing"}`,
    },
    {
      what: "stopped: all finished, the process ended by itself with 0",
      holds: ending.exitCode === 0 && ending.unfinished.length === 0,
      seen: `exit ${ending.exitCode ?? "none"}, unfinished ${ending.unfinished.join(", ") || "none"}, left ${JSON.stringify(ending.remains)}`,
    },
  ];
}

/** What shows only in a run of minutes. */
export function judgeTrend({ samples, plan }: SoakResult): readonly Verdict[] {
  const [, second, , last] = toQuarters(samples, plan.durationMs);
  const judged = samples.filter(({ atMs }) => atMs >= plan.durationMs / 3);
  const judgedMs = plan.durationMs * (2 / 3);
  const own = judged.map(({ loop }) => loop.own);
  const longest = Math.max(0, ...own.map(({ max }) => max));
  const p99 = median(own.map((each) => each.p99));
  return [
    ...MEMORY.flatMap(({ name, of, slack }): readonly Verdict[] => {
      const earlier = medianOf(second, of);
      const allowed = earlier * MEMORY_SHARE + slack;
      const grown = slopeOf(judged.map((sample) => [sample.atMs, of(sample)])) * judgedMs;
      const later = medianOf(last, of);
      return [
        {
          what: `${name}: no more than ${allowed.toFixed(1)} grown along the line through the last two thirds`,
          holds: grown <= allowed,
          seen: grown.toFixed(1),
        },
        {
          what: `${name}: median of the last quarter no more than ${allowed.toFixed(1)} above that of the second`,
          holds: later <= earlier + allowed,
          seen: `${earlier.toFixed(1)}, then ${later.toFixed(1)}`,
        },
      ];
    }),
    ...COUNTS.map(({ name, of, slack }): Verdict => {
      const [earlier, later] = [mostOf(second, of), mostOf(last, of)];
      return {
        what: `${name}: most in the last quarter no more than ${slack} above the second's`,
        holds: later <= earlier + slack,
        seen: `${earlier}, then ${later}`,
      };
    }),
    {
      what: `event loop: no turn of more than ${LONGEST_TURN_MS} ms of this thread's own time, and a median p99 of at most ${LONG_TURN_MS} ms`,
      holds: longest <= LONGEST_TURN_MS && p99 <= LONG_TURN_MS,
      seen: `longest ${longest.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
    },
  ];
}

function medianOf(samples: readonly TimedSample[], of: (sample: Sample) => number): number {
  return median(samples.map(of));
}

/** At rest, what is there only now and then does not count. */
export function leastOf(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return Math.min(...samples.map(of));
}

function mostOf(samples: readonly TimedSample[], of: (sample: Sample) => number): number {
  return Math.max(0, ...samples.map(of));
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
