import { assertUnpolluted, findSecret, fuzzRuns, mutateBytes, mutateJson } from "@holdfast/testing";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./cli.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { TestTerminal } from "../test/test-terminal.ts";

const SECRET = "canary-7f3a9c-secret";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = new TemporaryFolder();
  folder.write("topology.json", { members: [] });
  folder.write("broken.yaml", "a: b: c");
  folder.write("holdfast.yaml", "dataDir: data\n");
});
afterAll(() => folder[Symbol.dispose]());

/** Returns the printed text. Fails the test for an unknown exit code, and for output that no user should see. */
async function run(args: readonly string[], stdin = ""): Promise<string> {
  const terminal = new TestTerminal({ cwd: folder.path, stdin });
  const code = await runCli(args, terminal);
  const text = terminal.out + terminal.err;
  expect([0, 1, 2]).toContain(code);
  expect(text).not.toMatch(/LIFECYCLE_INTERNAL|is not a function|Cannot read|call stack|\n\s+at /);
  if (code !== 0) expect(text).not.toBe("");
  assertUnpolluted();
  return text;
}

/** These words never start a daemon, because none of them is a configuration. */
const word = fc.oneof(
  fc.constantFrom(
    "validate",
    "schema",
    "providers",
    "list",
    "add",
    "remove",
    "explain",
    "config",
    "topology",
    "--json",
    "--help",
    "--version",
    "-s",
    "--store",
    "store.jsonl",
    "--id",
    "--kind",
    "--priority",
    "--params",
    "file",
    "memory",
    "1",
    "{}",
    "a",
    "-",
    "--",
    "",
    "@topology.json",
    "@none",
    "broken.yaml",
    "topology.json",
    ".",
    "__proto__",
    "constructor",
    "--__proto__",
    "--no-json",
    "-h=1",
    "--url",
    "http://127.0.0.1:1",
    "http://user:x@127.0.0.1:1",
    ":",
  ),
  fc.string({ maxLength: 20 }),
);

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = fc.array(mutation, { maxLength: 3 });
const descriptor = {
  id: "a",
  kind: "memory",
  priority: 1,
  params: { members: [{ id: "a", host: "h", port: 1 }] },
};

describe("the command line", () => {
  test("of arbitrary words ends with an exit code and a message", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 10 }), async (words) => {
        await run(words);
      }),
      { numRuns: fuzzRuns(150) },
    );
  });

  test("with an arbitrary descriptor, as options, a file or standard input, stores or refuses it", async () => {
    let count = 0;
    await fc.assert(
      fc.asyncProperty(mutations, mutations, async (structure, text) => {
        const value = mutateJson(descriptor, structure);
        const bytes = mutateBytes(Buffer.from(JSON.stringify(value)), text).toString();
        const store = ["--store", `set-${count++}.jsonl`, "--json"];
        await run(["providers", "add", "-", ...store], bytes);
        await run(["providers", "add", folder.write("descriptor.json", bytes), ...store]);
        const params = mutateBytes(Buffer.from(JSON.stringify(descriptor.params)), text).toString();
        await run([
          "providers",
          "add",
          ...store,
          "--id",
          "b",
          "--kind",
          "memory",
          "--priority",
          "1",
          `--params=${params}`,
        ]);
        await run(["providers", "list", ...store]);
      }),
      { numRuns: fuzzRuns(40) },
    );
  });

  test("quotes no secret of parameters, whatever is wrong with them", async () => {
    const params = {
      service: "web",
      token: SECRET,
      addresses: [`http://a:${SECRET}@h:1`],
      headers: { cookie: SECRET },
    };
    await fc.assert(
      fc.asyncProperty(mutations, fc.array(mutation, { maxLength: 1 }), async (structure, text) => {
        const given = mutateBytes(
          Buffer.from(JSON.stringify(mutateJson(params, structure))),
          text,
        ).toString();
        // In a mutated text a value may become a field name, and field names are quoted.
        const isWhole = text.length === 0;
        const fields = ["--id", "a", "--kind", "consul", "--priority", "1", `--params=${given}`];
        const printed = await run(["providers", "add", "--store", "secret.jsonl", ...fields]);
        if (isWhole) expect(findSecret(printed, SECRET)).toEqual([]);
      }),
      { numRuns: fuzzRuns(80) },
    );
  });

  test("reads at most one megabyte of an endless file", async () => {
    const long = "x".repeat(1_048_577);
    expect(await run(["providers", "add", "-", "--store", "x.jsonl"], long)).toContain(
      "longer than 1048576 bytes",
    );
    if (process.platform === "win32") return;
    expect(await run(["providers", "add", "/dev/zero", "--store", "x.jsonl"])).toContain(
      "it is a device, not a regular file",
    );
    expect(await run(["validate", "/dev/zero"])).toContain("a named pipe or a device");
  });
});
