import { access, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { listPackages, root } from "@holdfast-apps/lab/packed-packages";

interface Manifest {
  readonly license?: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly homepage?: string;
  readonly bugs?: { readonly url?: string };
  readonly repository?: { readonly url?: string; readonly directory?: string };
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly publishConfig?: {
    readonly access?: string;
    readonly bin?: Readonly<Record<string, string>>;
    readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
}

test("every published manifest names its repository, its home page and where to report bugs", async () => {
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

test("a published package exports what is built from src, and nothing of test", async () => {
  for (const { name, folder } of await listPackages()) {
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
    const { exports = {}, publishConfig = {} } = manifest;
    expect(manifest.files, name).toEqual(["dist"]);
    // Packing replaces `exports` by this.
    const published = publishConfig.exports ?? {};
    const paths = [
      ...Object.values(published).flatMap(Object.values),
      ...Object.values(publishConfig.bin ?? {}),
    ];
    expect(paths.filter((path) => !path.startsWith("./dist/"))).toEqual([]);
    const ofSource = Object.keys(exports).filter((key) => exports[key]?.startsWith("./src/"));
    expect(Object.keys(published), name).toEqual(ofSource);
    const others = Object.values(exports).filter((path) => !path.startsWith("./src/"));
    expect(others.filter((path) => !path.startsWith("./test/"))).toEqual([]);
  }
});

test("a package has each peer dependency of its dependencies as a peer dependency or a dependency", async () => {
  // Otherwise yarn installs a second copy of the dependency, without the peer.
  const packages = await listPackages();
  const manifests = new Map<string, Manifest>();
  for (const { name, folder } of packages) {
    manifests.set(name, JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest);
  }
  for (const [name, { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }] of manifests) {
    const provided = Object.keys({ ...dependencies, ...peerDependencies });
    for (const dependency of Object.keys(dependencies)) {
      const { peerDependencies: needed = {} } = manifests.get(dependency) ?? {};
      expect(provided, `${name}, because of ${dependency}`).toEqual(
        expect.arrayContaining(Object.keys(needed)),
      );
    }
    // npm installs every peer that is not optional.
    if ("prom-client" in peerDependencies) expect(peerDependenciesMeta["prom-client"]?.optional).toBe(true);
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
