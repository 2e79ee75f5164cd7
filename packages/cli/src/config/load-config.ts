import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  descriptorInputSchema,
  toValidationProblems,
  type AnyProviderAdapter,
  type ProviderDescriptorInput,
} from "@holdfast/core";
import { ProviderValidator } from "@holdfast/registry";
import * as z from "zod";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { placeProblems, toConfigError, type ConfigProblem } from "./config-problem.ts";
import { createConfigSchema, type Config } from "./config-schema.ts";
import { parseConfigSource } from "./config-source.ts";

/** A configuration that was read and checked. */
export interface LoadedConfig {
  /** The file's absolute path. */
  readonly file: string;
  readonly config: Config;
  /** When present these are the providers; else the store says. */
  readonly providers?: readonly ProviderDescriptorInput[] | undefined;
  /** Where the set of providers is stored; an absolute path. */
  readonly storeFile: string;
  /** Relative paths in `params` start from the configuration's folder. */
  readonly adapters: readonly AnyProviderAdapter[];
}

const MAX_BYTES = 1_048_576;

/** Reads a YAML or JSON file. Throws one `VALIDATION_*` error whose `details.problems` names every problem. */
export async function loadConfig(name: string, cwd: string = process.cwd()): Promise<LoadedConfig> {
  const file = resolve(cwd, name);
  const folder = dirname(file);
  const adapters = createBuiltInAdapters(folder);
  const source = parseConfigSource(await readText(file));
  if (source.problems.length > 0) throw toConfigError(file, source.problems);
  // An empty file has no value: everything is as by default.
  const input = source.value ?? {};
  const parsed = createConfigSchema(z.unknown()).safeParse(input);
  const entries: unknown = Reflect.get(Object(input), "providers");
  const checks = Array.isArray(entries) ? new ProviderValidator({ adapters }).checkAll(entries) : [];
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, input))),
    ...checks.flatMap((check) => check.problems),
  ];
  if (!parsed.success || problems.length > 0) {
    throw toConfigError(
      file,
      placeProblems(problems, (path) => source.locate(path)),
    );
  }
  const config = parsed.data;
  return {
    file,
    config,
    providers: config.providers?.map((provider) => descriptorInputSchema.parse(provider)),
    storeFile: resolve(folder, config.dataDir, "providers.jsonl"),
    adapters,
  };
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw toConfigError(file, [wholeFile("a file that can be read", READ_FAILURES[code] ?? code)]);
  }
  if (bytes.length > MAX_BYTES) {
    throw toConfigError(file, [wholeFile(`at most ${MAX_BYTES} bytes`, `${bytes.length} bytes`)]);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw toConfigError(file, [wholeFile("text in UTF-8", "other bytes")]);
  }
}

const READ_FAILURES: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder",
  EACCES: "no permission to read it",
};

function wholeFile(expected: string, got: string): ConfigProblem {
  return { path: "", expected, got, code: "VALIDATION_MALFORMED" };
}

/** Of a union's alternatives, the one that the value comes nearest to says what is wrong with it. */
function toProblems(issue: z.core.$ZodIssue, input: unknown): readonly ConfigProblem[] {
  if (issue.code !== "invalid_union") return toValidationProblems([issue], input);
  const alternatives = issue.errors.map((issues) =>
    issues.flatMap((inner) => toProblems({ ...inner, path: [...issue.path, ...inner.path] }, input)),
  );
  const [own] = toValidationProblems([issue], input);
  const nearest = alternatives.find((problems) => problems.every((problem) => problem.path !== own?.path));
  if (nearest !== undefined) return nearest;
  const expected = alternatives.flat().map((problem) => problem.expected);
  return own === undefined ? [] : [{ ...own, expected: expected.join(" or ") }];
}
