import {
  describeForm,
  findDescriptorProblems,
  formatPath,
  isDescriptorInput,
  isProviderId,
  ProvisioningError,
  toValidationProblems,
  type AnyProviderAdapter,
  type ProviderDescriptor,
  type ProviderId,
} from "@holdfast/core";
import { findReservedNames } from "./reserved-names.ts";
import { toValidationError, type DescriptorProblem } from "./descriptor-problem.ts";
import { findLiteralSecrets, HIDDEN } from "./literal-secrets.ts";
import { PLAIN_DATA, toPlainData } from "./plain-data.ts";

/** Maximum number of providers in a set. */
export const MAX_PROVIDERS = 1_000;

/** A descriptor that passed every check. */
export interface ValidDescriptor {
  /** The descriptor as submitted, copied and frozen. It is stored, listed and compared. */
  readonly descriptor: ProviderDescriptor;
  readonly adapter: AnyProviderAdapter;
  /** `descriptor.params` as parsed by the adapter's schema, with defaults filled in. It is passed to `create`. */
  readonly params: unknown;
}

/** The result of checking one input. `valid` is set exactly when there are no problems. */
export interface DescriptorCheck {
  /** The id of the input, if it is well-formed. */
  readonly id?: ProviderId | undefined;
  readonly problems: readonly DescriptorProblem[];
  readonly valid?: ValidDescriptor | undefined;
}

export interface ProviderValidatorOptions {
  /** One adapter for each kind. */
  readonly adapters: readonly AnyProviderAdapter[];
}

/**
 * Checks submitted descriptors without any I/O and names every problem. No text of an input is ever quoted, except a
 * well-formed id or kind.
 */
export class ProviderValidator {
  readonly #adapters: ReadonlyMap<string, AnyProviderAdapter>;

  /** Throws `VALIDATION_DUPLICATE_ID` when two adapters have the same kind. */
  constructor(options: ProviderValidatorOptions) {
    const adapters = new Map<string, AnyProviderAdapter>();
    for (const adapter of options.adapters) {
      if (adapters.has(adapter.kind)) {
        throw new ProvisioningError(
          "VALIDATION_DUPLICATE_ID",
          `there are two adapters for the kind "${adapter.kind}"`,
        );
      }
      adapters.set(adapter.kind, adapter);
    }
    this.#adapters = adapters;
  }

  /** Throws one `VALIDATION_*` error whose `details.problems` lists every problem. */
  validate(input: unknown): ValidDescriptor {
    const check = this.check(input);
    return toValid([check], subjectOf(check))[0]!;
  }

  /**
   * Like `validate`, for a whole set; paths have the form `providers[2].params.path`. A repeated id is also a problem.
   */
  validateAll(inputs: unknown): readonly ValidDescriptor[] {
    return toValid(this.checkAll(inputs), "the set of providers");
  }

  /** Like `validate`, but returns the problems, with `at` in front of their paths. Never throws. */
  check(input: unknown, at: readonly PropertyKey[] = []): DescriptorCheck {
    const plain = toPlainData(input);
    if (plain === undefined) {
      return { problems: [malformed(at, PLAIN_DATA, describeForm(input))] };
    }
    return this.#checkPlain(plain.data, at);
  }

  /** Like `validateAll`, but returns the problems of each entry, with `at` in front of their paths. Never throws. */
  checkAll(inputs: unknown, at: readonly PropertyKey[] = ["providers"]): readonly DescriptorCheck[] {
    if (!Array.isArray(inputs)) {
      return [{ problems: [malformed(at, "an array", describeForm(inputs))] }];
    }
    if (inputs.length > MAX_PROVIDERS) {
      return [{ problems: [malformed(at, `at most ${MAX_PROVIDERS} entries`, describeForm(inputs))] }];
    }
    const seen = new Map<ProviderId, string>();
    return Array.from(inputs, (input: unknown, index) => {
      const check = this.check(input, [...at, index]);
      if (check.id === undefined) return check;
      const path = formatPath([...at, index, "id"]);
      const first = seen.get(check.id);
      if (first !== undefined) return withDuplicate(check, path, `an id that ${first} does not have`);
      seen.set(check.id, path);
      return check;
    });
  }

  #checkPlain(data: unknown, at: readonly PropertyKey[]): DescriptorCheck {
    const [id, kind, rawParams] = ["id", "kind", "params"].map((key) => fieldOf(data, key));
    const adapter = typeof kind === "string" ? this.#adapters.get(kind) : undefined;
    const parsed = adapter === undefined ? undefined : parseParams(adapter, rawParams, [...at, "params"]);
    const problems = withoutSecrets(findLiteralSecrets(data, at), [
      ...findReservedNames(data, at),
      ...findDescriptorProblems(data, at),
      ...(typeof kind === "string" && adapter === undefined ? this.#unknownKind(kind, at) : []),
      ...(parsed?.problems ?? []),
    ]);
    const known = isProviderId(id) ? { id } : {};
    if (problems.length > 0 || !isDescriptorInput(data) || adapter === undefined || parsed === undefined) {
      return { ...known, problems };
    }
    const { priority, params } = data;
    const descriptor = Object.freeze({
      id: data.id,
      kind: adapter.kind,
      priority,
      params: Object.freeze(params),
    });
    return { ...known, problems, valid: { descriptor, adapter, params: parsed.params } };
  }

  #unknownKind(kind: string, at: readonly PropertyKey[]): readonly DescriptorProblem[] {
    if (kind === "") return []; // malformed already
    const known = [...this.#adapters.keys()].sort().map((name) => `"${name}"`);
    return [
      {
        path: formatPath([...at, "kind"]),
        expected: known.length === 0 ? "a kind that has an adapter (there are none)" : known.join(" or "),
        got: isProviderId(kind) ? `"${kind}"` : describeForm(kind),
        code: "VALIDATION_UNKNOWN_KIND",
      },
    ];
  }
}

/** Returns the check with one more problem: another provider has its id. */
export function withDuplicate(check: DescriptorCheck, path: string, expected: string): DescriptorCheck {
  const problem = { path, expected, got: `"${check.id}"`, code: "VALIDATION_DUPLICATE_ID" } as const;
  return { id: check.id, problems: [...check.problems, problem] };
}

export function subjectOf({ id }: DescriptorCheck): string {
  return id === undefined ? "the provider" : `the provider "${id}"`;
}

/** Returns the valid descriptors. Throws one error if any check has a problem. */
export function toValid(checks: readonly DescriptorCheck[], subject: string): readonly ValidDescriptor[] {
  const problems = checks.flatMap((check) => check.problems);
  if (problems.length > 0) throw toValidationError(problems, subject);
  return checks.flatMap(({ valid }) => (valid === undefined ? [] : [valid]));
}

function parseParams(
  adapter: AnyProviderAdapter,
  params: unknown,
  at: readonly PropertyKey[],
): { readonly params?: unknown; readonly problems: readonly DescriptorProblem[] } | undefined {
  // Other types are already reported as a problem of the field `params`.
  if (typeof params !== "object" || params === null || Array.isArray(params)) return undefined;
  try {
    const result = adapter.params.safeParse(params);
    if (result.success) return { params: result.data, problems: [] };
    return { problems: toValidationProblems(result.error.issues, params, at) };
  } catch {
    // The error of a schema's own code may quote the input, so it is dropped.
    const expected = `params that the schema of kind "${adapter.kind}" can check`;
    return { problems: [malformed(at, expected, "an error thrown by the schema")] };
  }
}

/**
 * Keeps only the secret's own problem for a path with a literal secret. Problems of the values around it are dropped
 * too, because a schema's message for them may quote it. When a name is a secret, all other problems are dropped.
 */
function withoutSecrets(
  secrets: readonly DescriptorProblem[],
  others: readonly DescriptorProblem[],
): readonly DescriptorProblem[] {
  if (secrets.some(({ path }) => path.includes(HIDDEN))) return secrets;
  const paths = secrets.map(({ path }) => path);
  return [...secrets, ...others.filter((other) => !paths.some((path) => isWithin(path, other.path)))];
}

/** True when `path` is `place` itself or is inside it. */
function isWithin(path: string, place: string): boolean {
  return place === "" || path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`);
}

function malformed(at: readonly PropertyKey[], expected: string, got: string): DescriptorProblem {
  return { path: formatPath(at), expected, got, code: "VALIDATION_MALFORMED" };
}

function fieldOf(data: unknown, key: string): unknown {
  return typeof data === "object" && data !== null && Object.hasOwn(data, key)
    ? Reflect.get(data, key)
    : undefined;
}
