import { describe, expect, test } from "vitest";
import type { Registrar } from "@holdfast/core";
import { MemoryRegistrarBackend, VirtualClock } from "@holdfast/testing";
import { runSuite, type SuiteResult } from "../test/collecting-runner.ts";
import { NEVER_REGISTERS, REGISTRAR_FAULTS, type RegistrarFault } from "../test/registrar-faults.ts";
import { registrarConformance } from "./registrar-conformance.ts";
import type { RegistrarAbility, RegistrarSetup } from "./registrar-harness.ts";

function setUp(fault: RegistrarFault, onTeardown?: () => void): RegistrarSetup {
  const clock = new VirtualClock();
  const backend = new MemoryRegistrarBackend({ clock });
  const { registrar } = backend;
  const faulty: Registrar = {
    kind: "tested",
    open: (self, context) => {
      const correct = registrar.open(self, context);
      return Object.assign(
        {
          beatMs: correct.beatMs,
          ttlMs: correct.ttlMs,
          register: correct.register.bind(correct),
          beat: correct.beat.bind(correct),
          drain: correct.drain.bind(correct),
          leave: correct.leave.bind(correct),
          [Symbol.asyncDispose]: () => correct[Symbol.asyncDispose](),
        },
        fault({ correct, self, backend, clock }),
      );
    },
  };
  return {
    registrar: faulty,
    clock,
    time: clock,
    list: () => backend.members,
    loseData: () => backend.loseData(),
    breakBackend: () => void (backend.state = "broken"),
    hangBackend: () => void (backend.state = "hanging"),
    repairBackend: () => void (backend.state = "working"),
    countOpen: () => backend.openRegistrations + clock.pendingTimers,
    teardown: () => onTeardown?.(),
  };
}

function runWith(fault: RegistrarFault, lacks: readonly RegistrarAbility[] = []): Promise<SuiteResult> {
  return runSuite((runner) =>
    registrarConformance({ ...runner, harness: { setup: () => setUp(fault), lacks } }),
  );
}

const correct: RegistrarFault = () => ({});

// R8.4
describe("the registrar suite", () => {
  test("passes a correct registrar", async () => {
    const { failed, skipped, passed, errors } = await runWith(correct);
    expect({ failed, skipped }, String([...errors.values()])).toEqual({ failed: [], skipped: [] });
    expect(passed.length).toBeGreaterThan(30);
  });

  for (const [name, { fault, fails }] of Object.entries(REGISTRAR_FAULTS)) {
    test(`fails a registrar that ${name}`, async () => {
      const { failed, errors } = await runWith(fault);
      expect(failed.toSorted(), String([...errors.values()])).toEqual(fails.toSorted());
    });
  }

  test("has a fault for every one of its tests", async () => {
    const { passed } = await runWith(correct);
    const noticed = new Set(Object.values(REGISTRAR_FAULTS).flatMap(({ fails }) => fails));
    expect(passed.filter((name) => !noticed.has(name))).toEqual([]);
  });

  test("skips by name what the harness lacks, and nothing else", async () => {
    const all = await runWith(correct);
    const { passed, failed, skipped } = await runWith(correct, ["expire", "hangBackend"]);
    expect(failed).toEqual([]);
    expect(skipped).toContain("beats keep a member listed");
    expect(skipped).toContain("an abort leaves nothing open");
    expect([...passed, ...skipped].toSorted()).toEqual(all.passed.toSorted());
  });

  test("tears every setup down, whether the test passed or failed", async () => {
    let open = 0;
    const setup = () => {
      open++;
      return setUp(NEVER_REGISTERS, () => open--);
    };
    const { failed, passed } = await runSuite((runner) =>
      registrarConformance({ ...runner, harness: { setup } }),
    );
    expect([failed.length > 0, passed.length > 0, open]).toEqual([true, true, 0]);
  });
});
