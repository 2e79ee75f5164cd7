import { resolve } from "node:path";
import { toValidationProblems, type AnyProviderAdapter } from "@holdfast/core";
import type * as z from "zod";
import type { AdapterFaults } from "../adapters/adapter-faults.ts";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { loadAdapters } from "../adapters/load-adapters.ts";
import { placeProblems, toConfigError, type ConfigProblem } from "./config-problem.ts";
import { createConfigSchema, type Config } from "./config-schema.ts";
import { readConfig } from "./read-config.ts";
import { checkTopologies } from "./topologies/check-topologies.ts";
import { isFields } from "./topologies/fields.ts";
import { toTopologies, type Topologies } from "./topologies/to-topologies.ts";

/** A configuration that was read and validated. */
export interface LoadedConfig extends Topologies {
  /** The file's absolute path. */
  readonly file: string;
  readonly config: Config;
  /** The absolute path of the folder of all stored files. */
  readonly dataDir: string;
  /** The built-in adapters and those that the configuration names. Relative paths in `params` start from its folder. */
  readonly adapters: readonly AnyProviderAdapter[];
  /** Providers whose parameters were not checked, because their adapters were not loaded. */
  readonly unchecked: readonly ProviderName[];
}

export interface ProviderName {
  /** The name, or the template of names, of the topology. */
  readonly topology: string;
  /** May be a template, too. */
  readonly providerId: string;
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
  /** The id that the server of this process sends, if it has one; see `AdapterOptions`. */
  readonly instance?: string | undefined;
  /** Records which adapter's code fails outside of any call. */
  readonly faults?: AdapterFaults | undefined;
}

/**
 * Reads a YAML or JSON file and loads the adapters it names. Throws one `VALIDATION_*` error whose `details.problems`
 * lists every problem.
 */
export async function loadConfig(name: string, options: LoadConfigOptions = {}): Promise<LoadedConfig> {
  const { file, folder, source, input } = await readConfig(name, options.cwd ?? process.cwd());
  const { instance, faults, loadsAdapters = true } = options;
  const given = loadsAdapters ? options.adapters : createBuiltInAdapters({ baseDir: folder });
  const { adapters, problems: unavailable } =
    given === undefined
      ? await loadAdapters(input, folder, { instance, faults })
      : { adapters: given, problems: [] };
  const parsed = createConfigSchema().safeParse(input);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, input))),
    ...unavailable,
    ...checkTopologies(input, adapters).filter(
      ({ code }) => loadsAdapters || code !== "VALIDATION_UNKNOWN_KIND",
    ),
  ];
  if (!parsed.success || problems.length > 0) throw toConfigError(file, placeProblems(problems, source));
  const { topologies, discoveries } = toTopologies(input, {
    adapters,
    retainedEvents: parsed.data.log.retainedEvents,
  });
  const kinds = new Set(adapters.map(({ kind }) => kind));
  return {
    file,
    config: { ...parsed.data, ...readAsWritten(input) },
    topologies,
    discoveries,
    dataDir: resolve(folder, parsed.data.dataDir),
    unchecked: [
      ...topologies.map(({ name: topology, providers = [] }) => ({ topology, providers })),
      ...discoveries.map(({ topology = "", providers }) => ({ topology, providers })),
    ].flatMap(({ topology, providers }) =>
      providers.filter(({ kind }) => !kinds.has(kind)).map(({ id }) => ({ topology, providerId: id })),
    ),
    adapters,
  };
}

/** Returns the parts in which the schema has filled in defaults that are not those of a topology. */
function readAsWritten(input: unknown): Pick<Config, "topologies" | "discover"> {
  const { topologies, discover } = isFields(input) ? input : {};
  return {
    ...(isFields(topologies) && { topologies }),
    ...(Array.isArray(discover) && { discover }),
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
