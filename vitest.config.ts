import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    // A failed wait must name itself, not hang the run.
    testTimeout: 20_000,
    hookTimeout: 20_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["packages/*/src/**/*.test.ts"] } },
      { extends: true, test: { name: "integration", include: ["apps/*/src/**/*.test.ts"] } },
    ],
  },
});

export default config;
