import { describe, expect, test } from "vitest";
import { createNodeReader } from "../model/node-reader.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { SkipTally, toSkipReason } from "./skip-tally.ts";

describe("SkipTally", () => {
  test("counts all and keeps five different reasons", () => {
    const tally = new SkipTally();
    expect(tally.toSkipped()).toBeUndefined();
    for (let i = 0; i < 20; i++) tally.skip(`reason ${i % 10}`);
    expect(tally.toSkipped()).toEqual({
      count: 20,
      reasons: ["reason 0", "reason 1", "reason 2", "reason 3", "reason 4"],
    });
  });
});

describe("toSkipReason", () => {
  test("names the field without quoting its text", () => {
    const read = createNodeReader();
    const reason = (entry: unknown) => {
      try {
        return read(entry).id;
      } catch (error) {
        return toSkipReason(error);
      }
    };
    expect(reason({ id: "a", host: "b", port: "hunter2" })).toBe("port: expected number");
    expect(reason({ id: "", host: "b", port: 1 })).toBe("id: expected at least 1 characters");
    expect(reason({ id: "a", host: "b", port: 1, metadata: { hunter2: 5 } })).toBe(
      "metadata: expected string",
    );
    expect(reason({ id: "a", host: "b", port: 1, tags: ["x", 5] })).toBe("tags: expected string");
  });

  test("rethrows errors that are not the refusal of an entry", () => {
    const broken = new ProvisioningError("STREAM_FAILED", "x");
    expect(() => toSkipReason(broken)).toThrow(broken);
    expect(() => toSkipReason(new RangeError("x"))).toThrow(RangeError);
  });
});
