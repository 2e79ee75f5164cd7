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

test("nothing is held against a run in which all was well", () => {
  const result = resultOf();
  expect(failed([...judgeEnd(result), ...judgeTrend(result)])).toEqual([]);
});

describe("a run is faulted", () => {
  const { story, ending } = resultOf();
  const ports = (change: Partial<SoakResult["story"]["ports"]>) => ({
    story: { ...story, ports: { ...story.ports, ...change } },
  });
  const cases: readonly (readonly [string, Partial<SoakResult>])[] = [
    ["that ends with other members", { differences: ["members: 9 instead of 10"] }],
    ["that broke the order", ports({ violations: ["placement saw 3 after 4"] })],
    ["that showed few members", ports({ fewestMembers: 360 })],
    ["that showed no snapshot", ports({ fewestMembers: undefined })],
    ["in which nobody was isolated", ports({ isolated: 0 })],
    ["in which no fault happened", { faults: {} }],
    ["in which no fault was felt", { story: { ...story, switches: {} } }],
    ["in which the service never lost both", { story: { ...story, statusMs: { ready: 1 } } }],
    ["without samples", { samples: [] }],
    ["whose process did not end", { ending: { unfinished: [], remains: { Timeout: 1 } } }],
    ["whose process failed", { ending: { ...ending, exitCode: 1 } }],
    ["whose daemon did not answer health checks", readers({ readyMs: [] })],
    ["whose daemon answered a health check late", readers({ readyMs: [5, 6_500] })],
    ["whose daemon held too much", readers({ residentBytes: 900 * MIB })],
    ["whose follower was misled", readers({ differences: ["5 after 3"] })],
    ["whose daemon never disconnected a pipelining client", readers({ disconnected: {} })],
    ["whose daemon ended otherwise", readers({ exitCode: null })],
    ["whose daemon complained", readers({ err: "ERR_HTTP_HEADERS_SENT" })],
    ["whose service did not finish", { ending: { ...ending, unfinished: ["registry"] } }],
  ];
  test.each(cases)("%s", (_, change) => {
    expect(failed(judgeEnd({ ...resultOf(), ...change }))).toHaveLength(1);
  });

  const ends: readonly (readonly [string, (sample: Sample, share: number) => Sample])[] = [
    [
      "after a rejection nobody handled",
      (sample, at) => ({ ...sample, unhandledRejections: Math.floor(at) }),
    ],
    [
      "after a warning of Node's",
      (sample, at) => ({ ...sample, processWarnings: at < 1 ? {} : { MaxListenersExceededWarning: 1 } }),
    ],
    ["with descriptors left over", (sample, at) => ({ ...sample, descriptors: 25 + at * 5 })],
    [
      "with timers left over",
      (sample, at) => ({ ...sample, resources: { ...sample.resources, Timeout: 6 + at * 5 } }),
    ],
  ];
  test.each(ends)("%s", (_, change) => {
    expect(failed(judgeEnd(resultOf(change)))).toHaveLength(1);
  });
});

describe("a trend is seen", () => {
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

  test("of turns of the event loop that are too long, however rare", () => {
    const long = { late: { p50: 0, p99: 10, max: 2_000 }, own: { p99: 5, max: 1_900 } };
    const result = resultOf((sample, at) => (at === 0.75 ? { ...sample, loop: long } : sample));
    expect(failed(judgeTrend(result))).toEqual([expect.stringContaining("event loop")]);
  });

  test("but not where memory goes up and down", () => {
    const result = resultOf((sample, at) => ({
      ...sample,
      heapBytes: (50 + 3 * Math.sin(at * 200)) * MIB,
      descriptors: 25 + Math.round(3 * Math.sin(at * 200)),
    }));
    expect(failed(judgeTrend(result))).toEqual([]);
  });
});
