import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FIRST_OUTPUT, FIRST_PROGRAM } from "../first-program.ts";
import { execute, root } from "@holdfast-apps/lab/packed-packages";
import { LocalRegistry } from "./local-registry.ts";

// R6.1
test(
  "all packages can be published to a registry, and the library and the command can be installed from it and run",
  { timeout: 600_000 },
  async () => {
    await using registry = await LocalRegistry.start();
    const { url, env } = registry;
    await execute("pnpm", ["run", "build"], root);
    const publish = [
      "--recursive",
      "--filter",
      "./packages/*",
      "publish",
      "--no-git-checks",
      "--registry",
      url,
    ];
    await execute("pnpm", publish, root, env);

    const project = await mkdtemp(join(tmpdir(), "holdfast-user-"));
    try {
      await writeFile(join(project, "package.json"), '{ "type": "module" }');
      await writeFile(join(project, "program.js"), FIRST_PROGRAM);
      const install = (...names: readonly string[]) =>
        execute("npm", ["install", "--no-audit", "--no-fund", "--registry", url, ...names], project, env);
      await install("holdfast", "@holdfast/provider-memory");
      expect(await execute("node", ["program.js"], project)).toBe(FIRST_OUTPUT);
      await install("@holdfast/cli");
      expect(await execute("npx", ["holdfast", "--version"], project, env)).toMatch(/^\d+\.\d+\.\d+\n$/);
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  },
);
