import { resolve } from "node:path";
import {
  isDescriptorInput,
  toValidationProblems,
  type AnyProviderAdapter,
  type ProviderDescriptorInput,
} from "@holdfast/core";
import { ProviderValidator } from "@holdfast/registry";
import * as z from "zod";
import type { AdapterFaults } from "../adapters/adapter-faults.ts";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { loadAdapters } from "../adapters/load-adapters.ts";
import { placeProblems, toConfigError, type ConfigProblem } from "./config-problem.ts";
import { createConfigSchema, type Config } from "./config-schema.ts";
import { readConfig } from "./read-config.ts";

/** A configuration that was read and validated. */
export interface LoadedConfig {
  /** The file's absolute path. */
  readonly file: string;
  readonly config: Config;
  /** All providers. When absent, the stored ones are used. */
  readonly providers?: readonly ProviderDescriptorInput[] | undefined;
  /** Absolute path of the store of providers. */
  readonly storeFile: string;
  /** Absolute path of the newest good topology. */
  readonly snapshotFile: string;
  /** Absolute path of the file with the number of the newest run. */
  readonly generationFile: string;
  /** The built-in adapters and those that the configuration names. Relative paths in `params` start from its folder. */
  readonly adapters: readonly AnyProviderAdapter[];
  /** Ids of providers whose parameters were not checked, because their adapters were not loaded. */
  readonly unchecked: readonly string[];
}

export interface LoadConfigOptions {
  /** The base folder of a relative file name. @defaultValue process.cwd() */
  readonly cwd?: string | undefined;
  /**
   * The adapters of an earlier load, so that no module is loaded again. @defaultValue the built-in adapters and those
   * that the configuration names
   */
  readonly adapters?: readonly AnyProviderAdapter[] | undefined;
  /**
   * False: no code that the configuration names is run, and only providers of built-in kinds are checked. @defaultValue
   * true
   */
  readonly loadsAdapters?: boolean | undefined;
  /** Records which adapter's code fails outside of any call. */
  readonly faults?: AdapterFaults | undefined;
}

/**
 * Reads a YAML or JSON file and loads the adapters it names. Throws one `VALIDATION_*` error whose `details.problems`
 * lists every problem.
 */
export async function loadConfig(name: string, options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { file, folder, source, input } = await readConfig(name, options.cwd ?? process.cwd());
  const { faults, loadsAdapters = true } = options;
  const given = loadsAdapters ? options.adapters : createBuiltInAdapters(folder);
  const { adapters, problems: unavailable } =
    given === undefined ? await loadAdapters(input, folder, { faults }) : { adapters: given, problems: [] };
  const parsed = createConfigSchema(z.unknown()).safeParse(input);
  const entries: unknown = Reflect.get(Object(input), "providers");
  const checks = Array.isArray(entries) ? new ProviderValidator({ adapters }).checkAll(entries) : [];
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, input))),
    ...unavailable,
    ...checks
      .flatMap((check) => check.problems)
      .filter(({ code }) => loadsAdapters || code !== "VALIDATION_UNKNOWN_KIND"),
  ];
  if (!parsed.success || problems.length > 0) {
    throw toConfigError(file, placeProblems(problems, source));
  }
  const config = parsed.data;
  const providers = config.providers?.filter(isDescriptorInput);
  const kinds = new Set(adapters.map(({ kind }) => kind));
  return {
    file,
    config,
    providers,
    unchecked: (providers ?? []).filter(({ kind }) => !kinds.has(kind)).map(({ id }) => id),
    storeFile: resolve(folder, config.dataDir, "providers.jsonl"),
    snapshotFile: resolve(folder, config.dataDir, "last-known-good.jsonl"),
    generationFile: resolve(folder, config.dataDir, "generation.json"),
    adapters,
  };
}

/** For a union, reports the problems of the alternative that fits the value best. */
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
