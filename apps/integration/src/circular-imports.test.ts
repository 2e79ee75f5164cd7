import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { expect, test } from "vitest";
import { root } from "@holdfast-apps/lab/packed-packages";

/** Returns the rule of each problem that the linter reports in these files with the configuration of `pnpm lint`. */
async function lint(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  using folder = new TemporaryFolder();
  mkdirSync(folder.at("inner"));
  for (const [name, content] of Object.entries(files)) writeFileSync(folder.at(name), content);
  const { promise, resolve } = Promise.withResolvers<string>();
  const args = ["--config", join(root, ".oxlintrc.json"), "--format", "json", folder.path];
  // The exit code is 1 if there are problems.
  execFile(join(root, "node_modules/.bin/oxlint"), args, { cwd: root }, (_, stdout) => resolve(stdout));
  const report = JSON.parse(await promise) as { diagnostics: { code: string }[]; number_of_files: number };
  expect(report.number_of_files).toBe(3);
  return report.diagnostics.map(({ code }) => code);
}

const first = 'import type { Second } from "./inner/second.ts";\nexport type First = readonly Second[];\n';
const second = 'import type { Third } from "../third.ts";\nexport type Second = readonly Third[];\n';

test("a circular `import type` across three files is reported in each of them", async () => {
  const third = 'import type { First } from "./first.ts";\nexport type Third = readonly First[];\n';
  const found = await lint({ "first.ts": first, "inner/second.ts": second, "third.ts": third });
  expect(found).toEqual(["import(no-cycle)", "import(no-cycle)", "import(no-cycle)"]);
});

test("the same files without the last import are not reported", async () => {
  const third = "export type Third = string;\n";
  expect(await lint({ "first.ts": first, "inner/second.ts": second, "third.ts": third })).toEqual([]);
});
