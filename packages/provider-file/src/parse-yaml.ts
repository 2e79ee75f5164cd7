import { LineCounter, parseDocument } from "yaml";
import {
  InvalidTopologyError,
  toFileProblem,
  toSyntaxProblem,
  type TextPosition,
} from "./invalid-topology-error.ts";

/** How often one anchor may be used, times the uses nested in it: enough for a large file, too few for a YAML bomb. */
const MAX_ALIASES = 10_000;

/** One YAML 1.2 document of plain data. Throws `InvalidTopologyError`, which repeats none of the text. */
export function parseYaml(text: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // pretty ones quote the text
    stringKeys: true,
    logLevel: "error", // "silent" would let a second document pass
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) =>
      toSyntaxProblem("valid YAML", error.code, positionOf(lines, error.pos[0])),
    );
    throw new InvalidTopologyError(problems, positionOf(lines, document.errors[0]!.pos[0]));
  }
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    throw new InvalidTopologyError([
      toFileProblem(`aliases of anchors set before, each used at most ${MAX_ALIASES} times`, "others"),
    ]);
  }
}

function positionOf(lines: LineCounter, offset: number): TextPosition {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
