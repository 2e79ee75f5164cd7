import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { createProcessTerminal, runCli } from "@holdfast/cli";
import { describe, expect, test } from "vitest";
import { root } from "@holdfast-apps/lab/packed-packages";

/** The cells of each row of LIMITS.md, without the white space of their layout. */
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

/** `core/src/model/member-limit.ts MAX_MEMBERS` → its value, for every constant that is named as a limit. */
async function readConstants(): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  // Users do not meet the limits of the test kits.
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
  readonly oneOf?: readonly Schema[];
}

/** Every setting with a range: `[path, default, least, most]`. */
function* settingsOf(schema: Schema, path: string): Generator<readonly string[]> {
  const { properties = {}, anyOf = [], oneOf = [], items } = schema;
  if (schema.maximum !== undefined && schema.minimum !== undefined) {
    yield [`\`${path}\``, toText(schema.default), toText(schema.minimum), toText(schema.maximum)];
  }
  for (const [name, property] of Object.entries(properties)) {
    yield* settingsOf({ ...property }, path === "" ? name : `${path}.${name}`);
  }
  for (const choice of anyOf) yield* settingsOf({ default: schema.default, ...choice }, path);
  for (const choice of oneOf) {
    const kind = choice.properties?.["kind"]?.const;
    if (choice.properties?.["params"] !== undefined) {
      yield* settingsOf(choice.properties["params"], `${String(kind)}: params`);
    }
  }
  if (items !== undefined) yield* settingsOf(items, path);
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
  test("has every constant that limits something, with its value", async () => {
    const rows = await readRows();
    const told = new Map(
      rows.flatMap((cells) => {
        const name = /^`([^` ]+\.ts [\w.]+)`$/.exec(cells[3] ?? "")?.[1];
        return name === undefined ? [] : [[name, Number(cells[1]!.replaceAll(" ", ""))]];
      }),
    );
    expect(told.size).toBeGreaterThan(40);
    // A difference: correct the table, or add a row for the new constant.
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(await readConstants()));
  });

  test("has every setting with a range, with its default and its range", async () => {
    const settings = new Set([...settingsOf(await readSchema(), "")].map((row) => row.join(" | ")));
    const rows = (await readRows()).map((cells) => cells.join(" | "));
    const told = new Set(rows.filter((row) => /^`[^`]+` \| \d* \| -?\d+ \| \d+$/.test(row)));
    expect([...told].sort()).toEqual([...settings].sort());
  });
});
