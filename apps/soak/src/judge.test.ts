import { describe, expect, test } from "vitest";
import { judgeEnd, judgeTrend, type Verdict } from "./judge.ts";
import type { Sample } from "./sample.ts";
import { resultOf } from "../test/sample-result.ts";
import type { SoakResult } from "./soak-result.ts";

const failed = (verdicts: readonly Verdict[]) =>
  verdicts.filter(({ holds }) => !holds).map(({ what }) => what);
const MIB = 1_048_576;

const readers = (change: Partial<SoakResult["readers"]>): Pick<SoakResult, "readers"> => ({
  readers: { ...resultOf().readers, ...change },
});

test("a run without problems meets all requirements", () => {
  const result = resultOf();
  expect(failed([...judgeEnd(result), ...judgeTrend(result)])).toEqual([]);
});

describe("a run fails one requirement", () => {
  const { summary, ending } = resultOf();
  const ports = (change: Partial<SoakResult["summary"]["ports"]>) => ({
    summary: { ...summary, ports: { ...summary.ports, ...change } },
  });
  const cases: readonly (readonly [string, Partial<SoakResult>])[] = [
    ["when it ends with other members", { differences: ["members: 9 instead of 10"] }],
    ["when the ports received ticks in the wrong order", ports({ violations: ["placement saw 3 after 4"] })],
    ["when the topology showed too few members", ports({ fewestMembers: 360 })],
    ["when the topology showed no snapshot", ports({ fewestMembers: undefined })],
    ["when no member was isolated", ports({ isolated: 0 })],
    ["when no fault occurred", { faults: {} }],
    ["when no fault had an effect", { summary: { ...summary, switches: {} } }],
    [
      "when the two providers were never unavailable at once",
      { summary: { ...summary, statusMs: { ready: 1 } } },
    ],
    ["when there are no samples", { samples: [] }],
    ["when the process did not exit", { ending: { unfinished: [], remains: { Timeout: 1 } } }],
    ["when the process exited with 1", { ending: { ...ending, exitCode: 1 } }],
    ["when the daemon did not respond to health checks", readers({ readyMs: [] })],
    ["when the daemon responded late to a health check", readers({ readyMs: [5, 6_500] })],
    ["when the daemon used too much memory", readers({ residentBytes: 900 * MIB })],
    ["when the follower received a wrong event", readers({ differences: ["5 after 3"] })],
    ["when the daemon never disconnected a pipelining client", readers({ disconnected: {} })],
    ["when the daemon did not exit with 0", readers({ exitCode: null })],
    ["when the daemon printed an error", readers({ err: "ERR_HTTP_HEADERS_SENT" })],
    ["when the service did not finish its stop", { ending: { ...ending, unfinished: ["registry"] } }],
  ];
  test.each(cases)("%s", (_, change) => {
    expect(failed(judgeEnd({ ...resultOf(), ...change }))).toHaveLength(1);
  });

  const ends: readonly (readonly [string, (sample: Sample, share: number) => Sample])[] = [
    ["after an unhandled rejection", (sample, at) => ({ ...sample, unhandledRejections: Math.floor(at) })],
    [
      "after a warning from Node",
      (sample, at) => ({ ...sample, processWarnings: at < 1 ? {} : { MaxListenersExceededWarning: 1 } }),
    ],
    ["when descriptors remain open", (sample, at) => ({ ...sample, descriptors: 25 + at * 5 })],
    [
      "when timers remain active",
      (sample, at) => ({ ...sample, resources: { ...sample.resources, Timeout: 6 + at * 5 } }),
    ],
  ];
  test.each(ends)("%s", (_, change) => {
    expect(failed(judgeEnd(resultOf(change)))).toHaveLength(1);
  });
});

describe("a trend is detected", () => {
  const trends: readonly (readonly [string, RegExp, (sample: Sample, share: number) => Sample])[] = [
    ["of the heap", /^heap/, (sample, at) => ({ ...sample, heapBytes: (50 + at * 20) * MIB })],
    ["of buffers", /^external/, (sample, at) => ({ ...sample, externalBytes: (25 + at * 60) * MIB })],
    ["of descriptors", /^descriptors/, (sample, at) => ({ ...sample, descriptors: 25 + at * 20 })],
    [
      "of timers",
      /^timers/,
      (sample, at) => ({ ...sample, resources: { ...sample.resources, Timeout: 6 + at * 20 } }),
    ],
    [
      "of sockets",
      /^sockets/,
      (sample, at) => ({ ...sample, resources: { ...sample.resources, TLSWrap: at * 20 } }),
    ],
    [
      "of listeners on one signal",
      /^listeners on (signals|one object)/,
      (sample, at) => ({
        ...sample,
        listeners: { onEmitters: 60, onSignals: 14 + at * 60, most: 14 + at * 60 },
      }),
    ],
    [
      "of listeners on emitters",
      /^listeners on emitters/,
      (sample, at) => ({ ...sample, listeners: { ...sample.listeners, onEmitters: 60 + at * 120 } }),
    ],
  ];
  test.each(trends)("%s", (_, name, change) => {
    const verdicts = failed(judgeTrend(resultOf(change)));
    expect(verdicts.length).toBeGreaterThan(0);
    for (const what of verdicts) expect(what).toMatch(name);
  });

  test("for event loop turns that are too long, even if they are rare", () => {
    const long = { late: { p50: 0, p99: 10, max: 2_000 }, own: { p99: 5, max: 1_900 } };
    const result = resultOf((sample, at) => (at === 0.75 ? { ...sample, loop: long } : sample));
    expect(failed(judgeTrend(result))).toEqual([expect.stringContaining("event loop")]);
  });

  test("but not when memory rises and falls", () => {
    const result = resultOf((sample, at) => ({
      ...sample,
      heapBytes: (50 + 3 * Math.sin(at * 200)) * MIB,
      descriptors: 25 + Math.round(3 * Math.sin(at * 200)),
    }));
    expect(failed(judgeTrend(result))).toEqual([]);
  });
});
