import type { ConformanceRunner } from "./conformance-runner.ts";
import { defineContentTests } from "./provider-content-suite.ts";
import { defineFailureTests } from "./provider-failure-suite.ts";
import type { ProviderHarness } from "./provider-harness.ts";
import { defineLifeTests } from "./provider-life-suite.ts";
import { ProviderTrial, type DefineProviderTest } from "./provider-trial.ts";

export interface ProviderConformanceOptions extends ConformanceRunner {
  readonly harness: ProviderHarness;
}

/**
 * Registers the tests that every `ClusterProvider` has to pass. Each test gets a separate setup, so they may run in any
 * order. A test that needs what the harness `lacks` is skipped by name. No test sleeps in real time unless the harness
 * does.
 */
export function providerConformance({ describe, test, harness }: ProviderConformanceOptions): void {
  const define: DefineProviderTest = (name, needs, body) => {
    const isSkipped = needs.some((ability) => harness.lacks?.includes(ability) === true);
    const run = () => ProviderTrial.run(harness, body);
    if (isSkipped) test.skip(name, run);
    else test(name, run);
  };
  describe("the content of a watch", () => defineContentTests(define));
  describe("the reaction to the backend's state", () => defineFailureTests(define));
  describe("abort and disposal", () => defineLifeTests(define));
}
