import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig, type ViteUserConfig } from "vitest/config";

declare module "vitest" {
  interface ProvidedContext {
    /** Whether tests run in their long form: `inject("isLong")`. True with `HOLDFAST_LONG=1`, as in `.ci/run`. */
    isLong: boolean;
  }
}

const isLong = process.env["HOLDFAST_LONG"] === "1";

/** Run in `.ci/run` alone. */
const LONG_TESTS = "{packages,apps}/*/{src,test}/**/*.long.test.ts";

/** Long tests that judge how much memory and time a process needs: they run when no other test does. */
const LONE_TESTS = "packages/cli/src/server/hostile-readers.long.test.ts";

/** What needs servers: see apps/integration/README.md. */
const REAL_TESTS = "apps/*/{src,test}/**/*.real.test.ts";

const OTHERS = ["**/node_modules/**", LONG_TESTS, REAL_TESTS];

/** The number of inputs of the property tests, as a factor. */
function fuzzRuns(usual: string): Record<string, string> {
  return { HOLDFAST_FUZZ_RUNS: process.env["HOLDFAST_FUZZ_RUNS"] ?? usual };
}

function hasLongForm(file: string): boolean {
  return /inject\("isLong"\)|fuzzRuns\(/.test(readFileSync(join(import.meta.dirname, file), "utf8"));
}

/** The files that only run in the long form, and those whose tests have a longer form than in `npm test`. */
function listLongTests(): string[] {
  const files = globSync("{packages,apps}/*/{src,test}/**/*.test.ts", { cwd: import.meta.dirname });
  return files.filter((file) => file.endsWith(".long.test.ts") || hasLongForm(file));
}

const config: ViteUserConfig = defineConfig({
  test: {
    // A failed wait must name itself, not hang the run.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Files share a process: starting one and loading the packages takes longer than most files. So a file leaves no state in the
    // process (environment, listeners, mocks); a test that cannot avoid it starts a process of its own.
    isolate: false,
    // Tests that wait leave a core to others.
    maxWorkers: availableParallelism() + 1,
    // V8 of Node 24 and older keeps track of code pages across threads, loses one now and then under load, and aborts
    // ("Check failed: jit_page.has_value()"). Without this it does not look.
    execArgv: ["--no-memory-protection-keys"],
    provide: { isLong },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/*/{src,test}/**/*.test.ts"],
          exclude: OTHERS,
          env: fuzzRuns("0.5"),
        },
      },
      {
        extends: true,
        test: { name: "integration", include: ["apps/*/{src,test}/**/*.test.ts"], exclude: OTHERS },
      },
      {
        extends: true,
        test: {
          name: "long",
          include: isLong ? listLongTests() : [LONG_TESTS],
          exclude: ["**/node_modules/**", LONE_TESTS],
          env: fuzzRuns("10"),
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: "lone",
          include: [LONE_TESTS],
          sequence: { groupOrder: 1 },
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: "real",
          include: [REAL_TESTS],
          // Real servers start, elect and compact.
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
    ],
  },
});

export default config;
