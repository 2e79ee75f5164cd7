import type { ConformanceRunner } from "./conformance-runner.ts";
import { defineAnnouncementTests } from "./registrar-announcement-suite.ts";
import { defineRegistrarFailureTests } from "./registrar-failure-suite.ts";
import type { RegistrarHarness } from "./registrar-harness.ts";
import { defineRegistrarLifeTests } from "./registrar-life-suite.ts";
import { RegistrarTrial, type DefineRegistrarTest } from "./registrar-trial.ts";

export interface RegistrarConformanceOptions extends ConformanceRunner {
  readonly harness: RegistrarHarness;
}

/**
 * Registers the tests that every `Registrar` has to pass. Each test gets a separate setup, so they may run in any order.
 * A test that needs what the harness `lacks` is skipped by name.
 */
export function registrarConformance({ describe, test, harness }: RegistrarConformanceOptions): void {
  const define: DefineRegistrarTest = (name, needs, body) => {
    const isSkipped = needs.some((ability) => harness.lacks?.includes(ability) === true);
    const run = () => RegistrarTrial.run(harness, body);
    if (isSkipped) test.skip(name, run);
    else test(name, run);
  };
  describe("what readers of the backend see", () => defineAnnouncementTests(define));
  describe("the reaction to the backend's state", () => defineRegistrarFailureTests(define));
  describe("abort and disposal", () => defineRegistrarLifeTests(define));
}
