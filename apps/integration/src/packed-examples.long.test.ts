import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createNpmProject, type NpmProject } from "@holdfast-apps/lab/npm-project";
import { execute, root } from "@holdfast-apps/lab/packed-packages";

/** The packages whose first example runs as a user runs it: installed from their tarballs, in a project of their own. */
const FOLDERS = ["announce", "registrar-consul", "registrar-file", "registrar-kubernetes"];

let project: NpmProject;

beforeAll(async () => {
  const others = ["holdfast", "@holdfast/provider-file"];
  project = await createNpmProject([...others, ...FOLDERS.map((folder) => `@holdfast/${folder}`)]);
}, 300_000);
afterAll(() => project[Symbol.asyncDispose]());

// R6.1 R8.4
test.each(FOLDERS)("the example of %s has few lines and runs with the packed packages", async (folder) => {
  const text = await readFile(join(root, "packages", folder, "README.md"), "utf8");
  const [, code = ""] = /^```ts\n(.*?)^```/ms.exec(text) ?? [];
  const lines = code.split("\n").filter((line) => line !== "" && !line.startsWith("import "));
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.length).toBeLessThanOrEqual(12);
  const file = join(project.path, `${folder}.ts`);
  await writeFile(file, code);
  await execute(process.execPath, [file], project.path);
});
