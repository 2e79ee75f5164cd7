import { fuzzRuns, outcomeOf } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseHash, parseTopics } from "./stream-topics.ts";

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const topic = fc.record({
  name,
  from: fc.option(fc.record({ epoch: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/), seqNo: fc.maxSafeNat() }), {
    nil: undefined,
  }),
  have: fc.option(fc.stringMatching(/^[0-9a-f]{16}$/), { nil: undefined }),
});

describe("parseTopics", () => {
  test("reads every combination of name, position and hash", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(topic, { selector: ({ name: id }) => id }),
        fc.boolean(),
        (topics, isAll) => {
          const values = topics.map(({ name: id, from, have }) => {
            const position = from === undefined ? "" : `@${from.epoch}/${from.seqNo}`;
            return id + position + (have === undefined ? "" : `;${have}`);
          });
          const parsed = parseTopics(isAll ? [...values, "*"] : values, undefined);
          expect(parsed).toEqual({ isAll, topics: new Map(topics.map((each) => [each.name, each])) });
        },
      ),
      { numRuns: fuzzRuns(300) },
    );
  });

  test("the last event id replaces the position of its topology, and keeps the hash", () => {
    const values = ["a@e/1;00ff", "b@e/2"];
    expect(parseTopics(values, "a@f/9").topics).toEqual(
      new Map([
        ["a", { name: "a", from: { epoch: "f", seqNo: 9 }, have: "00ff" }],
        ["b", { name: "b", from: { epoch: "e", seqNo: 2 }, have: undefined }],
      ]),
    );
    expect([...parseTopics(values, "c@f/9").topics.keys()]).toEqual(["a", "b"]);
    expect([...parseTopics(["*"], "c@f/9").topics.keys()]).toEqual(["c"]);
    expect(parseTopics(values, "").topics.size).toBe(2);
  });

  test("refuses anything else without quoting it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), async (text) => {
        const outcome = await outcomeOf(() => parseTopics([`${text};canary secret`], undefined));
        if (!("error" in outcome)) throw new Error("was not refused");
        expect(outcome.error.code).toBe("VALIDATION_MALFORMED");
        expect(JSON.stringify(outcome.error)).not.toContain("canary");
      }),
      { numRuns: fuzzRuns(300) },
    );
    for (const text of ["x".repeat(1_000_000), `a@${"x".repeat(1_000_000)}/1`, `a;${"0".repeat(1_000_000)}`])
      expect(await outcomeOf(() => parseTopics([text], undefined))).toHaveProperty("error");
  });
});

test("parseHash accepts a hash or nothing", () => {
  expect([parseHash(undefined), parseHash(""), parseHash("00ff")]).toEqual([undefined, undefined, "00ff"]);
  expect(() => parseHash("a b")).toThrow(expect.objectContaining({ code: "VALIDATION_MALFORMED" }));
});
