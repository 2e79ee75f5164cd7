/** Registers one test of a suite. */
export interface DefineTest {
  (name: string, body: () => Promise<void>): unknown;
  /** Registers a test that does not apply, so that reports show what was skipped. */
  skip(name: string, body: () => Promise<void>): unknown;
}

/** The part of a test runner that the suites need. vitest, jest and `node:test` can be passed directly. */
export interface ConformanceRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: DefineTest;
}
