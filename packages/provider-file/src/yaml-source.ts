import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";
import type { TextPosition } from "./invalid-topology-error.ts";

/** One thing wrong with a text of YAML; `code` is the library's, such as `DUPLICATE_KEY`, or `MERGE_KEY`. */
export interface YamlProblem {
  readonly code: string;
  readonly position: TextPosition;
}

/** A text of YAML 1.2 whose keys are all texts, and where in it everything stands. */
export interface YamlSource {
  readonly document: Document.Parsed;
  /** In the order in which they stand there, without any of the text. */
  readonly problems: readonly YamlProblem[];
  readonly positionAt: (offset: number) => TextPosition;
}

export function parseYamlSource(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // pretty ones quote the text
    stringKeys: true,
    uniqueKeys: false, // the library compares each key with each other: minutes for a megabyte
    logLevel: "error", // "silent" would let a second document pass
  });
  const positionAt = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const found = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    code,
    offset: pos[0],
  }));
  const problems = found.length > 0 ? found : findBadKeys(document);
  return {
    document,
    problems: problems.map(({ code, offset }) => ({ code, position: positionAt(offset) })),
    positionAt,
  };
}

interface BadKey {
  readonly code: "DUPLICATE_KEY" | "MERGE_KEY";
  readonly offset: number;
}

/**
 * The keys that their mapping already has, and the merge keys (`<<`) of YAML 1.1, which YAML 1.2 would read as fields of that
 * name. They are not followed: merges that build on one another make a short text a large document.
 */
function findBadKeys(document: Document.Parsed): readonly BadKey[] {
  const bad: BadKey[] = [];
  const pending: unknown[] = [document.contents];
  while (pending.length > 0) {
    const node = pending.pop();
    if (isSeq(node)) for (const item of node.items) pending.push(item);
    if (!isMap(node)) continue;
    const keys = new Set<unknown>();
    for (const { key, value } of node.items) {
      pending.push(value);
      if (!isScalar(key)) continue;
      const offset = key.range?.[0] ?? 0;
      if (key.value === "<<" && key.type === "PLAIN") bad.push({ code: "MERGE_KEY", offset });
      else if (keys.has(key.value)) bad.push({ code: "DUPLICATE_KEY", offset });
      keys.add(key.value);
    }
  }
  return bad.sort((a, b) => a.offset - b.offset);
}

/** The problem in words; for one of the library's, its code. */
export function describeYamlProblem({ code }: YamlProblem): string {
  if (code !== "MERGE_KEY") return code;
  return "a merge key (YAML 1.1); write its fields out, or set an alias as the whole value (field: *name)";
}
