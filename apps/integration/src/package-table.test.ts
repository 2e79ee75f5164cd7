import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { listPackages, root } from "@holdfast-apps/lab/packed-packages";

const packages = await listPackages();
const ours = new Set(packages.map(({ name }) => name));

/** Returns the dependencies of each package in this repository, from the table in ARCHITECTURE.md. */
async function readTable(): Promise<Map<string, string>> {
  const text = await readFile(join(root, "ARCHITECTURE.md"), "utf8");
  const rows = text.matchAll(/^\| `(packages\/[^`]+)` +\|[^|]*\|([^|]*)\|$/gm);
  return new Map([...rows].map((row) => [row[1]!, row[2]!.trim()]));
}

// R6.1
test("every package depends on exactly the packages that ARCHITECTURE.md lists for it", async () => {
  const table = await readTable();
  const actual = packages.map(({ folder, dependencies }) => {
    const names = dependencies.filter((name) => ours.has(name)).map((name) => name.replace("@holdfast/", ""));
    return [relative(root, folder), names.sort().join(", ") || "none"] as const;
  });
  const documented = [...table].map(
    ([folder, names]) => [folder, names.split(", ").sort().join(", ")] as const,
  );
  expect(new Map(documented)).toEqual(new Map(actual));
});
