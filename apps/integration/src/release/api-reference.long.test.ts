import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { execute, listPackages, root } from "@holdfast-apps/lab/packed-packages";

test("`pnpm api-reference` documents every package without a warning", { timeout: 600_000 }, async () => {
  await execute("pnpm", ["run", "api-reference"], root);
  const page = await readFile(join(root, "docs", "api", "modules.html"), "utf8");
  const linked = [...page.matchAll(/href="modules\/([^"]+)\.html"/g)].map(([, name]) => name);
  const expected = (await listPackages()).map(({ name }) => name.replace(/[@/]/g, "_"));
  expect(linked).toEqual(expect.arrayContaining(expected));
});
