import { defineConfig, type UserConfig } from "tsdown";

/** One build for every package: run from the package's folder, it bundles `src/index.ts` and its declarations into `dist`. */
const config: UserConfig = defineConfig({
  cwd: process.cwd(),
  entry: ["src/index.ts"],
  format: "esm",
  platform: "node",
  target: "node22",
  dts: true,
  fixedExtension: false,
  sourcemap: true,
  clean: true,
});
export default config;
