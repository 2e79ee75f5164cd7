import {
  describeForm,
  formatPath,
  toValidationProblems,
  type AnyProviderAdapter,
  type DiscoveryAdapter,
} from "@holdfast/core";
import type { ProviderValidator } from "@holdfast/registry";
import type { DiscoverySource } from "holdfast";
import type { ConfigProblem } from "../config-problem.ts";
import type { Backend, Backends } from "./backends.ts";
import { findBackendProblems, findPlace, type CheckContext } from "./check-providers.ts";
import { isFields, type Fields } from "./fields.ts";
import { backendNameOf, isBackendEntry, ownParamsOf } from "./provider-entries.ts";

type Path = readonly PropertyKey[];

export interface SourceContext {
  readonly backends: Backends;
  readonly adapters: readonly AnyProviderAdapter[];
}

/** Converts an entry of `from`. Returns `undefined` when it does not name a backend. */
export function toSource(entry: unknown, { backends, adapters }: SourceContext): DiscoverySource | undefined {
  if (!isBackendEntry(entry)) return undefined;
  const backend = backends.get(backendNameOf(entry));
  if (backend === undefined) return undefined;
  const { kind } = backend;
  const discovery = adapters.find((adapter) => adapter.kind === kind)?.discovery;
  return { kind, params: mergeParams(backend, ownParamsOf(entry), discovery) };
}

/**
 * Merges the parameters of an entry over those of its backend. Those of the backend that the discovery does not have are
 * left out, because they are for providers.
 */
function mergeParams({ params }: Backend, own: Fields, discovery: DiscoveryAdapter | undefined): Fields {
  const { error } = discovery?.params.safeParse({ ...params, ...own }) ?? {};
  const foreign = new Set(
    error?.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" && issue.path.length === 0 ? issue.keys : [],
    ),
  );
  const inherited = Object.entries(params).filter(([key]) => !foreign.has(key));
  return { ...Object.fromEntries(inherited), ...own };
}

/** Returns every problem of the list `from` at a path. The path of a problem is where the value is written. */
export function checkSources(
  entries: readonly unknown[],
  at: Path,
  context: SourceContext & CheckContext,
): readonly ConfigProblem[] {
  return entries.flatMap((entry, index) => checkSource(entry, [...at, index], context));
}

function checkSource(
  entry: unknown,
  at: Path,
  context: SourceContext & CheckContext,
): readonly ConfigProblem[] {
  const { backends, adapters, validator } = context;
  if (!isFields(entry)) return [toProblem(at, "object", entry)];
  if (!isBackendEntry(entry)) return [toProblem([...at, "backend"], "the name of a backend", undefined)];
  const source = toSource(entry, context);
  if (source === undefined) return findBackendProblems(entry, at, backends);
  const { kind, params } = source;
  const adapter = adapters.find((known) => known.kind === kind);
  // An unknown kind is a problem of the backend.
  if (adapter === undefined) return [];
  const { discovery } = adapter;
  if (discovery === undefined) {
    const able = adapters.flatMap((known) => (known.discovery === undefined ? [] : [`"${known.kind}"`]));
    const kinds = able.length === 0 ? "" : ` (${able.sort().join(" or ")})`;
    const expected = `a backend of a kind that can list services${kinds}`;
    return [{ ...toProblem([...at, "backend"], expected, entry.backend), got: `one of kind "${kind}"` }];
  }
  const secrets = findSecrets(source, at, validator);
  const result = discovery.params.safeParse(params);
  const issues = result.success ? [] : toValidationProblems(result.error.issues, params, at);
  const others = issues.filter(({ path }) => !secrets.some((secret) => secret.path.startsWith(path)));
  return [...secrets, ...others].map((problem) => {
    const place = findPlace(problem.path, at, entry, backends);
    return place === undefined
      ? problem
      : { ...problem, path: formatPath(place) + problem.path.slice(formatPath(at).length) };
  });
}

/** Finds literal secrets as in a provider, whose schema does not matter for that. */
function findSecrets(
  { kind, params }: DiscoverySource,
  at: Path,
  validator: ProviderValidator,
): readonly ConfigProblem[] {
  const { problems } = validator.check({ id: "source", kind, priority: 0, params }, at);
  const prefix = formatPath([...at, "params"]);
  return problems
    .filter(({ code }) => code === "VALIDATION_LITERAL_SECRET")
    .map((problem) => ({ ...problem, path: formatPath(at) + problem.path.slice(prefix.length) }));
}

function toProblem(at: Path, expected: string, value: unknown): ConfigProblem {
  const code = value === undefined ? "VALIDATION_MISSING_FIELD" : "VALIDATION_MALFORMED";
  return { path: formatPath(at), expected, got: describeForm(value), code };
}
