import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "scripts/**/*.test.ts"],
    // A failed wait must name itself, not hang the run.
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
export default config;
