import { formatPath } from "@holdfast/core";
import type { ConfigProblem } from "../config-problem.ts";
import type { CheckContext } from "./check-providers.ts";

/** What a backend alone can be held to, also when entries use it. */
const OWN_CODES: ReadonlySet<string> = new Set(["VALIDATION_UNKNOWN_KIND", "VALIDATION_LITERAL_SECRET"]);

/**
 * Returns the problems of backends. The parameters of a backend that an entry uses are checked together with those of the
 * entry. Those of a backend that is not in `used` are checked here; missing ones are not a problem, as an entry would add them.
 */
export function checkBackends(
  used: ReadonlySet<unknown>,
  { backends, validator }: CheckContext,
): readonly ConfigProblem[] {
  return [...backends].flatMap(([name, { kind, params }]) => {
    const at = ["backends", name];
    const { problems } = validator.check({ id: name, kind, priority: 0, params }, at);
    const prefix = formatPath([...at, "params"]);
    return problems
      .filter(({ code }) => OWN_CODES.has(code) || (!used.has(name) && code !== "VALIDATION_MISSING_FIELD"))
      .map((problem) =>
        problem.path.startsWith(prefix)
          ? { ...problem, path: formatPath(at) + problem.path.slice(prefix.length) }
          : problem,
      );
  });
}
