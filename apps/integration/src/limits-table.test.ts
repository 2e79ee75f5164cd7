import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createProcessTerminal, runCli } from "@holdfast/cli";
import { describe, expect, test } from "vitest";
import { root } from "@holdfast-apps/lab/packed-packages";

/** Returns the cells of each row of LIMITS.md, trimmed. */
async function readRows(): Promise<readonly (readonly string[])[]> {
  const text = await readFile(join(root, "LIMITS.md"), "utf8");
  const lines = text.split("\n").filter((line) => line.startsWith("|"));
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Returns the value of every constant with the name of a limit, by keys such as `core/src/model/member-limit.ts MAX_MEMBERS`. */
async function readConstants(): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  // The limits of the test kits do not concern users.
  const files = glob("*/src/**/*.ts", {
    cwd: join(root, "packages"),
    exclude: (name) => ["conformance", "testing", "node_modules"].includes(name),
  });
  for await (const file of files) {
    if (/test/.test(file)) continue;
    const text = await readFile(join(root, "packages", file), "utf8");
    for (const [, name, value] of text.matchAll(
      /^(?:export )?const (MAX_\w+|\w+_(?:DEADLINE|TIMEOUT|WITHIN)_MS)[^=]*= ([\d_ *]+);/gm,
    )) {
      found.set(`${file.replaceAll("\\", "/")} ${name}`, toNumber(value!));
    }
    const block = /const NODE_LIMITS = \{([^}]*)\}/.exec(text)?.[1] ?? "";
    for (const [, name, value] of block.matchAll(/(\w+): ([\d_]+)/g)) {
      found.set(`${file} NODE_LIMITS.${name}`, toNumber(value!));
    }
  }
  return found;
}

function toNumber(text: string): number {
  return text
    .split("*")
    .map((factor) => Number(factor.trim().replaceAll("_", "")))
    .reduce((product, factor) => product * factor, 1);
}

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** Yields `[path, default, minimum, maximum]` for every setting with a range. */
function* settingsOf(document: Schema): Generator<readonly string[]> {
  const { $defs = {}, ...config } = document;
  yield* rangesOf(config, "", $defs);
  for (const [name, schema] of Object.entries($defs)) {
    // Those of a provider and of an entry of `from` are mostly the same.
    const [, kind] = /^(?:params|discovery)\.(.+)$/.exec(name) ?? [];
    if (kind !== undefined) yield* rangesOf(schema, `${kind}: params`, $defs);
  }
}

function* rangesOf(
  schema: Schema,
  path: string,
  definitions: Readonly<Record<string, Schema>>,
): Generator<readonly string[]> {
  const { properties = {}, anyOf = [], items, $ref } = schema;
  const [, name = ""] = /^#\/\$defs\/(health|guards|lastKnownGood|validation)$/.exec($ref ?? "") ?? [];
  const referred = definitions[name];
  // The same settings of single topologies are not listed again.
  if (referred !== undefined && path === name) yield* rangesOf(referred, path, definitions);
  if (schema.maximum !== undefined && schema.minimum !== undefined) {
    yield [`\`${path}\``, toText(schema.default), toText(schema.minimum), toText(schema.maximum)];
  }
  for (const [key, property] of Object.entries(properties)) {
    yield* rangesOf({ ...property }, path === "" ? key : `${path}.${key}`, definitions);
  }
  for (const choice of anyOf) yield* rangesOf({ default: schema.default, ...choice }, path, definitions);
  if (items !== undefined) yield* rangesOf(items, path, definitions);
}

async function readSchema(): Promise<Schema> {
  const stdout = new PassThrough({ encoding: "utf8", highWaterMark: 1_048_576 });
  await runCli(["schema"], { ...createProcessTerminal(), stdout });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of this repository
  return JSON.parse(String(stdout.read())) as Schema;
}

function toText(value: unknown): string {
  return typeof value === "number" ? String(value) : "";
}

describe("LIMITS.md", () => {
  test("lists every constant that is a limit, with its value", async () => {
    const rows = await readRows();
    const documented = new Map(
      rows.flatMap((cells) => {
        const name = /^`([^` ]+\.ts [\w.]+)`$/.exec(cells[3] ?? "")?.[1];
        return name === undefined ? [] : [[name, Number(cells[1]!.replaceAll(" ", ""))]];
      }),
    );
    expect(documented.size).toBeGreaterThan(40);
    // If they differ, correct the table or add a row for the new constant.
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(await readConstants()));
  });

  test("lists every setting with a range, with its default and its range", async () => {
    const settings = new Set([...settingsOf(await readSchema())].map((row) => row.join(" | ")));
    const rows = (await readRows()).map((cells) => cells.join(" | "));
    const documented = new Set(rows.filter((row) => /^`[^`]+` \| \d* \| -?\d+ \| \d+$/.test(row)));
    expect([...documented].sort()).toEqual([...settings].sort());
  });
});
