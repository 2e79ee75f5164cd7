import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { execute, listPackages, root } from "@holdfast-apps/lab/packed-packages";

interface Example {
  readonly name: string;
  readonly code: string;
  readonly file: string;
}

// In this package, so that the imports of the examples resolve through its node_modules as for a user.
const folder = join(root, "apps", "integration", ".tmp", "examples");

/** Every ```ts block of a README is a complete program. */
async function readExamples(readme: string): Promise<readonly Example[]> {
  const text = await readFile(readme, "utf8").catch(() => "");
  const place = relative(root, readme);
  return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map((match, i) => ({
    name: `${place}, example ${i + 1}`,
    code: match[1]!,
    file: join(folder, `${place.replaceAll(/[^a-z]+/gi, "-")}-${i + 1}.ts`),
  }));
}

const packages = await listPackages();
const readmes = [join(root, "README.md"), ...packages.map((item) => join(item.folder, "README.md"))];
const examples = (await Promise.all(readmes.map(readExamples))).flat();

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all(examples.map(({ file, code }) => writeFile(file, `${code}\nexport {};\n`)));
});

test("every package has a README with an example", () => {
  for (const { name, folder: place } of packages) {
    expect(
      examples.some(({ name: example }) => example.startsWith(relative(root, place))),
      name,
    ).toBe(true);
  }
});

test("the types of the examples are correct", { timeout: 60_000 }, async () => {
  const config = {
    extends: relative(folder, join(root, "tsconfig.base.json")),
    compilerOptions: { isolatedDeclarations: false, declaration: false },
    include: ["*.ts"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await execute("tsc", ["--noEmit", "-p", folder], root);
});

/** A script that imports its arguments one after another, and names the one that fails. */
const RUN_IN_TURN = `
for (const file of process.argv.slice(1)) {
  try {
    await import(file);
  } catch (error) {
    console.error(file, error);
    process.exit(1);
  }
}`;

// All in one process, because starting a process takes most of the time. It ends only if no example leaves an open handle.
test.skipIf(inject("isLong"))("every example runs to its end", { timeout: 120_000 }, async () => {
  const files = examples.map(({ file }) => file);
  await execute("node", ["--input-type=module", "--eval", RUN_IN_TURN, ...files], root);
});

describe.runIf(inject("isLong"))("an example runs to its end", () => {
  test.each(examples)("$name", { timeout: 30_000 }, async ({ file }) => {
    await execute("node", [file], root);
  });
});
