import { defineConfig, type ViteUserConfig } from "vitest/config";

/** What needs servers: see apps/integration/README.md. */
const REAL_TESTS = "apps/*/src/**/*.real.test.ts";

const config: ViteUserConfig = defineConfig({
  test: {
    // A failed wait must name itself, not hang the run.
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // V8 of Node 24 and older keeps track of code pages across threads, loses one now and then under load, and aborts
    // ("Check failed: jit_page.has_value()"). Without this it does not look.
    execArgv: ["--no-memory-protection-keys"],
    projects: [
      { extends: true, test: { name: "unit", include: ["packages/*/src/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["apps/*/src/**/*.test.ts"],
          exclude: ["**/node_modules/**", REAL_TESTS],
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
