import { describeForm, formatPath, isProviderId } from "@holdfast/core";
import type { DescriptorProblem, ProviderValidator } from "@holdfast/registry";
import type { ConfigProblem } from "../config-problem.ts";
import type { Backends } from "./backends.ts";
import { isFields } from "./fields.ts";
import {
  backendNameOf,
  isBackendEntry,
  ownParamsOf,
  toDescriptors,
  type BackendEntry,
  type ProviderEntries,
} from "./provider-entries.ts";

type Path = readonly PropertyKey[];

export interface CheckContext {
  readonly backends: Backends;
  readonly validator: ProviderValidator;
}

/**
 * Returns every problem of a list of providers at a path of the configuration. The path of a problem of a parameter is
 * where the value is written: in the entry, or in its backend.
 */
export function checkProviders(
  entries: ProviderEntries,
  at: Path,
  { backends, validator }: CheckContext,
): readonly ConfigProblem[] {
  const checks = validator.checkAll(toDescriptors(entries, backends), at);
  return [
    ...entries.flatMap((entry, index) => findBackendProblems(entry, [...at, index], backends)),
    ...findMixedPriorities(entries, at),
    ...checks.flatMap(({ problems }, index) => relocate(problems, entries[index], [...at, index], backends)),
  ];
}

/** Returns the problems of the field `backend` of an entry. */
export function findBackendProblems(entry: unknown, at: Path, backends: Backends): readonly ConfigProblem[] {
  if (!isBackendEntry(entry)) return [];
  const { backend } = entry;
  if (typeof backend === "string" && backends.has(backend)) return [];
  const known = [...backends.keys()].sort().map((name) => `"${name}"`);
  return [
    {
      path: formatPath([...at, "backend"]),
      expected: known.length === 0 ? "the name of a backend (there are none)" : known.join(" or "),
      got: isProviderId(backend) ? `"${backend}"` : describeForm(backend),
      code: "VALIDATION_MALFORMED",
    },
  ];
}

function findMixedPriorities(entries: ProviderEntries, at: Path): readonly ConfigProblem[] {
  if (!entries.some(hasPriority)) return [];
  return entries.flatMap((entry, index) => {
    if (!isFields(entry) || hasPriority(entry)) return [];
    const path = formatPath([...at, index, "priority"]);
    const expected = "a number, because other entries of the list have a priority";
    return [{ path, expected, got: "nothing", code: "VALIDATION_MISSING_FIELD" as const }];
  });
}

function hasPriority(entry: unknown): boolean {
  return isFields(entry) && entry["priority"] !== undefined;
}

/** Changes the paths of problems of a descriptor, `AT.params.url`, to those of the configuration. */
function relocate(
  problems: readonly DescriptorProblem[],
  entry: unknown,
  at: Path,
  backends: Backends,
): readonly ConfigProblem[] {
  if (!isBackendEntry(entry)) return problems;
  const kind = formatPath([...at, "kind"]);
  const params = formatPath([...at, "params"]);
  return problems.flatMap((problem): readonly ConfigProblem[] => {
    // The kind of a backend is checked where it is written.
    if (problem.path === kind) return [];
    if (!isWithin(problem.path, params)) return [problem];
    const place = findPlace(problem.path, [...at, "params"], entry, backends) ?? at;
    return [{ ...problem, path: formatPath(place) + problem.path.slice(params.length) }];
  });
}

/**
 * Returns the path of the backend of an entry if the parameter at `path` is written there, and `undefined` if it is the
 * entry's own or missing. `params` is the path that the parameters have in `path`.
 */
export function findPlace(
  path: string,
  params: Path,
  entry: BackendEntry,
  backends: Backends,
): Path | undefined {
  const own = ownParamsOf(entry);
  const name = backendNameOf(entry);
  const isInherited = Object.keys(backends.get(name)?.params ?? {}).some(
    (key) => !Object.hasOwn(own, key) && isWithin(path, formatPath([...params, key])),
  );
  return isInherited ? ["backends", name] : undefined;
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);
}
