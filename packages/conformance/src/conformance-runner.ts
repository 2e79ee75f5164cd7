/** Registers one test of a suite. */
export interface DefineTest {
  (name: string, body: () => Promise<void>): unknown;
  /** Names a test that does not apply, so that reports show what was left out. */
  skip(name: string, body: () => Promise<void>): unknown;
}

/** The part of a test runner that the suites need. Those of vitest, jest and `node:test` fit as they are. */
export interface ConformanceRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: DefineTest;
}
