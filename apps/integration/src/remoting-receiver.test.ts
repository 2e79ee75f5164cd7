import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { execute, root } from "@holdfast-apps/lab/packed-packages";

const EXAMPLE = join(root, "examples", "remoting-receiver");
// In this package, so that the imports of the example resolve through its node_modules as for a user.
const folder = join(root, "apps", "integration", ".tmp", "remoting-receiver");
const RECEIVER = "src/remoting-receiver.ts";
const KINDS = ["join", "leave", "blocked", "unblocked"] as const;
/** The beginning of the method that handles one event. */
const APPLY = "#apply({ kind, node, epoch }: RemoteTopologyEvent): void {\n";
const TSC = join(root, "node_modules", ".bin", "tsc");

/** Creates a copy of the example with a changed receiver. */
async function copy(name: string, change: (source: string) => string = (source) => source): Promise<string> {
  const path = join(folder, name);
  await cp(EXAMPLE, path, { recursive: true, filter: (file) => !file.includes("node_modules") });
  const file = join(path, RECEIVER);
  await writeFile(file, change(await readFile(file, "utf8")));
  // The packages resolve to their sources, which need the compiler options of this repository.
  const options = {
    extends: join(root, "tsconfig.base.json"),
    compilerOptions: { noEmit: true },
    include: ["src"],
  };
  await writeFile(join(path, "tsconfig.json"), JSON.stringify(options));
  return path;
}

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const runTests = (path: string) => execute("node", ["--test", "src/*.test.ts"], path);

// R4.4
describe("the sample receiver of remote-topology events", { timeout: 120_000 }, () => {
  test("passes its own tests", async () => {
    const output = await runTests(await copy("as-it-is"));
    expect(output).toMatch(/pass [1-9]\d/);
    expect(output).toMatch(/fail 0/);
  });

  test("runs, and prints every kind of event", async () => {
    const output = await execute("node", ["src/main.ts"], await copy("demo"));
    for (const kind of KINDS) expect(output).toContain(`${kind} `);
  });

  test.runIf(inject("isLong")).each(KINDS)("fails its tests when %s is not handled", async (kind) => {
    const path = await copy(`without-${kind}`, (source) => {
      expect(source.split(APPLY)).toHaveLength(2);
      return source.replace(APPLY, (text) => `${text}    if (kind === "${kind}") return;\n`);
    });
    await expect(runTests(path)).rejects.toThrow(/fail [1-9]/);
  });

  test.runIf(inject("isLong"))(
    "is correct TypeScript, and a kind that it does not handle is a type error",
    async () => {
      await execute(TSC, [], await copy("types"));
      const path = await copy("types-of-three", (source) => source.replace('      case "unblocked":\n', ""));
      await expect(execute(TSC, [], path)).rejects.toThrow(/never/);
    },
  );
});
