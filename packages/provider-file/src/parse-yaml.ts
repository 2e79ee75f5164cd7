import { InvalidTopologyError, toFileProblem, toSyntaxProblem } from "./invalid-topology-error.ts";
import { describeYamlProblem, parseYamlSource } from "./yaml-source.ts";

/** How often one anchor may be used, times the uses nested in it: enough for a large file, too few for a YAML bomb. */
const MAX_ALIASES = 10_000;

/** One YAML 1.2 document of plain data. Throws `InvalidTopologyError`, which repeats none of the text. */
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
      toFileProblem(`aliases of anchors set before, each used at most ${MAX_ALIASES} times`, "others"),
    ]);
  }
}
