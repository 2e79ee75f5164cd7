import { COUNTS, MEMORY } from "./measures.ts";
import { toQuarters } from "./quarters.ts";
import type { Sample } from "./sample.ts";
import type { SoakResult, TimedSample } from "./soak-result.ts";
import { median, slopeOf } from "./statistics.ts";

/** One requirement and whether the run met it. */
export interface Verdict {
  readonly what: string;
  readonly holds: boolean;
  /** The measured value. */
  readonly measured: string;
}

/** The topology must always show at least this share of the members, whatever fault occurs. */
const LEAST_SHARE = 0.95;
/** Memory may grow by this share of its earlier value, in addition to the slack of the measure. */
const MEMORY_SHARE = 0.05;
/**
 * At rest, the counts before and after must be equal, except for two connections more or less: a pool keeps a connection
 * after a fault for as long as requests use it, and a blocking query may just wait on it.
 */
const REST_SLACK = 2;
/** Node.js has 19 listeners on the socket, request and response of a request, and 2 on the agent; the rest is ours. */
const LISTENERS_A_CONNECTION = 24;
/**
 * The longest time this thread may run before a timer can fire, in milliseconds, including garbage collections. The
 * limit is high because on a busy machine work accumulates while the thread waits for a processor, and is then done in
 * one turn.
 */
const LONGEST_TURN_MS = 500;
const LONG_TURN_MS = 250;

/**
 * The memory limit of the daemon that hostile readers attack: the heap for 10,000 members, the code, and
 * `http.maxReaderMemoryMb`.
 */
const READ_DAEMON_MIB = 600;
const MIB = 1_048_576;

/** The requirements for a run of any length. */
export function judgeEnd(result: SoakResult): readonly Verdict[] {
  const { before, samples, after, summary, differences, ending, faults, plan, readers } = result;
  const slowest = Math.max(0, ...readers.readyMs);
  const { violations, fewestMembers = 0 } = summary.ports;
  const least = Math.floor(plan.members * LEAST_SHARE);
  const switches = sumOf(summary.switches);
  const last = after.at(-1);
  const unavailableMs = summary.statusMs["unavailable"] ?? 0;
  return [
    {
      what: "at the end, the topology and all consumers have the members that the servers list",
      holds: differences.length === 0,
      measured: differences.join("; ") || "equal",
    },
    {
      what: "the ports received everything in the promised order",
      holds: violations.length === 0,
      measured: violations.join("; ") || `${summary.ports.ticks} ticks`,
    },
    {
      what: `the topology always showed at least ${least} members`,
      holds: fewestMembers >= least,
      measured: `${fewestMembers}`,
    },
    {
      what: "members were isolated and restored",
      holds: summary.ports.isolated > 0 && summary.ports.restored > 0,
      measured: `${summary.ports.isolated} isolated, ${summary.ports.restored} restored`,
    },
    {
      what: "faults occurred and had effects: streams were interrupted, providers were switched, both providers were unavailable at once",
      holds: Object.keys(faults).length > 0 && switches > 0 && unavailableMs > 0,
      measured: `${sumOf(faults)} faults, ${sumOf(summary.interruptions)} interruptions, ${switches} switches, ${seconds(unavailableMs)} unavailable`,
    },
    {
      what: "no unhandled rejection and no warning from Node",
      holds: last?.unhandledRejections === 0 && sumOf(last.processWarnings) === 0,
      measured: `${last?.unhandledRejections} rejections, warnings ${JSON.stringify(last?.processWarnings)}`,
    },
    ...COUNTS.map(({ name, of }) => {
      const [was, is] = [minimumOf(before, of), minimumOf(after, of)];
      const slack = name.startsWith("listeners") ? REST_SLACK * LISTENERS_A_CONNECTION : REST_SLACK;
      return {
        what: `${name} at rest: at most ${slack} more than before`,
        holds: is <= was + slack,
        measured: `${was} before, ${is} after`,
      };
    }),
    {
      what: "samples were taken throughout",
      holds: samples.length > 0 && toQuarters(samples, plan.durationMs).every(({ length }) => length > 0),
      measured: `${samples.length}`,
    },
    {
      what: `hostile readers: every /readyz request got a response within the health timeout of ${plan.pace.health.timeoutMs} ms`,
      holds: readers.readyMs.length > 0 && slowest < (plan.pace.health.timeoutMs ?? Infinity),
      measured: `${readers.readyMs.length} responses, median ${median(readers.readyMs).toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`,
    },
    {
      what: `hostile readers: the daemon used at most ${READ_DAEMON_MIB} MiB`,
      holds: readers.residentBytes <= READ_DAEMON_MIB * MIB,
      measured: `${(readers.residentBytes / MIB).toFixed(0)} MiB`,
    },
    {
      what: "hostile readers: pipelining clients were disconnected; another client received every event and has the members",
      holds: readers.differences.length === 0 && (readers.disconnected["pipelining"] ?? 0) > 0,
      measured:
        readers.differences.slice(0, 3).join("; ") || `disconnected ${JSON.stringify(readers.disconnected)}`,
    },
    {
      what: "hostile readers: the daemon exited with 0 and printed nothing on standard error",
      holds: readers.exitCode === 0 && readers.err === "",
      measured: `exit ${readers.exitCode ?? "none"}, ${readers.err.slice(0, 200) || "nothing"}`,
    },
    {
      what: "stop: all parts finished, and the process exited with 0 without a signal",
      holds: ending.exitCode === 0 && ending.unfinished.length === 0,
      measured: `exit ${ending.exitCode ?? "none"}, unfinished ${ending.unfinished.join(", ") || "none"}, remaining ${JSON.stringify(ending.remains)}`,
    },
  ];
}

/** The requirements that only a run of several minutes can check. */
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
          what: `${name}: growth along the least-squares line through the last two thirds is at most ${allowed.toFixed(1)}`,
          holds: grown <= allowed,
          measured: grown.toFixed(1),
        },
        {
          what: `${name}: the median of the last quarter is at most ${allowed.toFixed(1)} above the median of the second`,
          holds: later <= earlier + allowed,
          measured: `${earlier.toFixed(1)}, then ${later.toFixed(1)}`,
        },
      ];
    }),
    ...COUNTS.map(({ name, of, slack }): Verdict => {
      const [earlier, later] = [maximumOf(second, of), maximumOf(last, of)];
      return {
        what: `${name}: the maximum of the last quarter is at most ${slack} above the maximum of the second`,
        holds: later <= earlier + slack,
        measured: `${earlier}, then ${later}`,
      };
    }),
    {
      what: `event loop: no turn uses more than ${LONGEST_TURN_MS} ms of this thread's processor time, and the median p99 is at most ${LONG_TURN_MS} ms`,
      holds: longest <= LONGEST_TURN_MS && p99 <= LONG_TURN_MS,
      measured: `longest ${longest.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`,
    },
  ];
}

function medianOf(samples: readonly TimedSample[], of: (sample: Sample) => number): number {
  return median(samples.map(of));
}

/** The smallest value. Samples are taken at rest, so a resource that exists only temporarily is not counted. */
export function minimumOf(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return Math.min(...samples.map(of));
}

function maximumOf(samples: readonly TimedSample[], of: (sample: Sample) => number): number {
  return Math.max(0, ...samples.map(of));
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
