import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { execute, root } from "../packed-packages.ts";
import { LocalRegistry } from "./local-registry.ts";

/** The first useful program: ten lines at most, and two packages. */
const PROGRAM = `import { connect } from "holdfast";
import { memory } from "@holdfast/provider-memory";

const members = [{ id: "node-1", host: "10.0.0.1", port: 7001 }];
await using orders = await connect({ providers: [memory({ members })] });
await orders.ready();
for (const { id, host, port } of orders.members()) console.log(id, host, port);
`;

// R6.1
test(
  "all packages are published to a registry, and a user installs the library and the command from it and runs both",
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
      await writeFile(join(project, "program.js"), PROGRAM);
      const ours = ["holdfast", "@holdfast/provider-memory", "@holdfast/cli"];
      await execute("npm", ["install", "--no-audit", "--no-fund", "--registry", url, ...ours], project, env);
      expect(await execute("node", ["program.js"], project)).toBe("node-1 10.0.0.1 7001\n");
      expect(await execute("npx", ["holdfast", "--version"], project, env)).toMatch(/^\d+\.\d+\.\d+\n$/);
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  },
);
