import type { ConformanceRunner } from "../src/conformance-runner.ts";

export interface SuiteResult {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** The error of each failed test, by name. */
  readonly errors: ReadonlyMap<string, unknown>;
}

/** Runs a suite inside a test and returns its results. */
export async function runSuite(define: (runner: ConformanceRunner) => void): Promise<SuiteResult> {
  const tests: [name: string, body: () => Promise<void>][] = [];
  const passed: string[] = [];
  const skipped: string[] = [];
  const errors = new Map<string, unknown>();
  define({
    describe: (_, body) => body(),
    test: Object.assign((name: string, body: () => Promise<void>) => tests.push([name, body]), {
      skip: (name: string) => skipped.push(name),
    }),
  });
  for (const [name, body] of tests) {
    try {
      await body();
      passed.push(name);
    } catch (error) {
      errors.set(name, error);
    }
  }
  return { passed, failed: [...errors.keys()], skipped, errors };
}
