import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { execute, root } from "../packed-packages.ts";
import { LocalRegistry } from "./local-registry.ts";

const PROGRAM = `
import { createMemoryAdapter } from "@holdfast/provider-memory";
import { MemoryProviderStore } from "@holdfast/conformance";
import { ProvisioningService } from "@holdfast/provisioning";

const service = new ProvisioningService({ adapters: [createMemoryAdapter()], store: new MemoryProviderStore() });
const members = [{ id: "node-1", host: "10.0.0.1", port: 7001 }];
await service.start({ providers: [{ id: "primary", kind: "memory", priority: 1, params: { members } }] });
console.log((await service.topology.ready()).members.size);
await service.stop();
`;

// R6.1
test(
  "all packages are published to a registry, and a user installs the library and the command from it and runs both",
  { timeout: 600_000 },
  async () => {
    await using registry = await LocalRegistry.start();
    const env = { NPM_CONFIG_USERCONFIG: registry.npmrc };
    await execute("pnpm", ["run", "build"], root);
    const publish = ["--recursive", "--filter", "./packages/*", "publish", "--no-git-checks"];
    await execute("pnpm", publish, root, env);

    const project = await mkdtemp(join(tmpdir(), "holdfast-user-"));
    try {
      await writeFile(join(project, "package.json"), '{ "type": "module" }');
      await writeFile(join(project, "program.js"), PROGRAM);
      const library = ["@holdfast/provisioning", "@holdfast/provider-memory", "@holdfast/conformance"];
      await execute("npm", ["install", "--no-audit", "--no-fund", ...library, "holdfast"], project, env);
      expect((await execute("node", ["program.js"], project)).trim()).toBe("1");
      expect(await execute("npx", ["holdfast", "--version"], project, env)).toMatch(/^\d+\.\d+\.\d+\n$/);
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  },
);
