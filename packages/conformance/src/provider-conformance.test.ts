import { describe, expect, test } from "vitest";
import { providerConformance } from "./provider-conformance.ts";
import type { ProviderAbility, ProviderSetup } from "./provider-harness.ts";
import { runSuite, type SuiteResult } from "../test/collecting-runner.ts";
import { CONTENT_FAULTS } from "../test/content-faults.ts";
import { FAILURE_FAULTS } from "../test/failure-faults.ts";
import { LIFE_FAULTS } from "../test/life-faults.ts";
import { timedOut, type Fault, type ProviderFaults } from "../test/provider-fault.ts";
import { createTinySetup, Tiny } from "../test/tiny-provider.ts";

const FAULTS: ProviderFaults = { ...CONTENT_FAULTS, ...FAILURE_FAULTS, ...LIFE_FAULTS };

function runWith(fault: Fault, lacks: readonly ProviderAbility[] = []): Promise<SuiteResult> {
  const setup = () => {
    const tiny = new Tiny();
    return createTinySetup(tiny, fault(tiny));
  };
  return runSuite((runner) => providerConformance({ ...runner, harness: { setup, lacks } }));
}

function setUpWithoutEnd(): ProviderSetup {
  const setup = createTinySetup(new Tiny());
  Reflect.deleteProperty(setup, "endStream");
  return setup;
}

describe("the provider suite", () => {
  test("passes a correct provider", async () => {
    const { failed, skipped, passed } = await runWith(() => ({}));
    expect({ failed, skipped }).toEqual({ failed: [], skipped: [] });
    expect(passed.length).toBeGreaterThan(30);
  });

  for (const [name, { fault, fails }] of Object.entries(FAULTS)) {
    test(`fails a provider that ${name}`, async () => {
      const { failed, errors } = await runWith(fault);
      expect(failed.toSorted(), String([...errors.values()])).toEqual(fails.toSorted());
    });
  }

  test("has a fault for every one of its tests", async () => {
    const { passed } = await runWith(() => ({}));
    const noticed = new Set(Object.values(FAULTS).flatMap(({ fails }) => fails));
    expect(passed.filter((name) => !noticed.has(name))).toEqual([]);
  });

  test("skips by name what the harness lacks, and nothing else", async () => {
    const all = await runWith(() => ({}));
    const { passed, failed, skipped } = await runWith(() => ({}), ["hangBackend", "countOpen"]);
    expect(failed).toEqual([]);
    expect(skipped).toContain("a backend that hangs yields no snapshot or heartbeat");
    expect(skipped).toContain("disposal leaves nothing open");
    expect([...passed, ...skipped].toSorted()).toEqual(all.passed.toSorted());
  });

  test("fails a harness that lacks a step without declaring it", async () => {
    const { failed } = await runSuite((runner) =>
      providerConformance({ ...runner, harness: { setup: setUpWithoutEnd } }),
    );
    expect(failed).toEqual([
      "a stream that the backend ends yields an ended event last",
      "a watch after an end starts with the current content",
    ]);
  });

  test("tears every setup down, whether the test passed or failed", async () => {
    let open = 0;
    const setup = () => {
      open++;
      const rest = createTinySetup(new Tiny(), { probe: () => Promise.reject(timedOut()) });
      return { ...rest, teardown: () => void open-- };
    };
    const { failed, passed } = await runSuite((runner) =>
      providerConformance({ ...runner, harness: { setup } }),
    );
    expect([failed.length > 0, passed.length > 0, open]).toEqual([true, true, 0]);
  });
});
