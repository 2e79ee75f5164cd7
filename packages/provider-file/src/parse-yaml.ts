import { InvalidTopologyError, toFileProblem, toSyntaxProblem } from "./invalid-topology-error.ts";
import { describeYamlProblem, parseYamlSource } from "./yaml-source.ts";

/**
 * Maximum number of uses of one anchor, multiplied by the uses nested in it: enough for a large file, too few for a
 * YAML bomb.
 */
const MAX_ALIASES = 10_000;

/** Parses one YAML 1.2 document of plain data. Throws `InvalidTopologyError`, which quotes no text of the input. */
export function parseYaml(text: string): unknown {
  const { document, problems } = parseYamlSource(text);
  const [first] = problems;
  if (first !== undefined) {
    throw new InvalidTopologyError(
      problems.map((problem) =>
        toSyntaxProblem("valid YAML", describeYamlProblem(problem), problem.position),
      ),
      first.position,
    );
  }
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    throw new InvalidTopologyError([
      toFileProblem(
        `aliases of anchors that are defined before, each used at most ${MAX_ALIASES} times`,
        "others",
      ),
    ]);
  }
}
