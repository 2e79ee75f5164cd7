import { access, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { listPackages, root } from "./packed-packages.ts";

interface Manifest {
  readonly license?: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly homepage?: string;
  readonly bugs?: { readonly url?: string };
  readonly repository?: { readonly url?: string; readonly directory?: string };
  readonly publishConfig?: { readonly access?: string };
}

test("every published manifest names its source, its home page and where to report bugs", async () => {
  for (const { name, folder } of await listPackages()) {
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
    expect(manifest, name).toMatchObject({
      license: "MIT",
      description: expect.stringMatching(/\.$/),
      homepage: expect.stringContaining(relative(root, folder)),
      bugs: { url: expect.stringMatching(/\/issues$/) },
      repository: { url: expect.stringMatching(/^git\+https:/), directory: relative(root, folder) },
      publishConfig: { access: "public" },
    });
    expect(manifest.keywords?.length, name).toBeGreaterThan(2);
  }
});

test("the files that contributors look for exist", async () => {
  const files = [
    ".editorconfig",
    ".node-version",
    ".github/workflows/ci.yml",
    ".github/workflows/release.yml",
  ];
  for (const file of [...files, "LICENSE", "CONTRIBUTING.md"]) await access(join(root, file));
});
