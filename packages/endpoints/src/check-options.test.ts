import { describe, expect, test } from "vitest";
import { ScriptedTopology } from "../test/scripted-topology.ts";
import { createEndpoints } from "./create-endpoints.ts";
import type { EndpointsOptions } from "./endpoints-options.ts";

function create(options: Partial<EndpointsOptions>) {
  const { hub, clock } = new ScriptedTopology();
  return createEndpoints({ topology: hub, clock, ...options });
}

describe("the options", () => {
  test.each<[Partial<EndpointsOptions>, string]>([
    [{ keepUnavailableMs: -1 }, "keepUnavailableMs must be a number of at least 0"],
    [{ subset: { size: 0 } }, "subset.size must be an integer of at least 1"],
    [{ subset: { size: 1.5 } }, "subset.size must be an integer of at least 1"],
    [{ slowStart: { rampMs: 0 } }, "slowStart.rampMs must be a number greater than 0"],
    [
      { slowStart: { rampMs: 1, initialShare: 2 } },
      "slowStart.initialShare must be a number greater than 0 and at most 1",
    ],
    [{ panicShare: Number.NaN }, "panicShare must be a number of at least 0 and at most 1"],
    [
      { ejection: { maxShare: 2, ejectMs: 0 } },
      "ejection.maxShare must be a number of at least 0 and at most 1; ejection.ejectMs must be",
    ],
    [
      { ejection: { failureShare: { share: 0 } } },
      "ejection.failureShare.share must be a number greater than 0",
    ],
  ])("%o: %s", (options, problem) => {
    expect(() => create(options)).toThrow(
      expect.objectContaining({ code: "VALIDATION_MALFORMED", message: expect.stringContaining(problem) }),
    );
  });

  test("accepts what is switched off, and no limit", () => {
    const ejection = { consecutiveFailures: false, failureShare: false, latency: false } as const;
    create({ ejection, keepUnavailableMs: Infinity }).close();
    create({ ejection: false, panicShare: 0 }).close();
  });
});
