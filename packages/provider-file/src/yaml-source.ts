import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";
import type { TextPosition } from "./invalid-topology-error.ts";

/** One problem of a YAML text. `code` is the library's code, such as `DUPLICATE_KEY`, or `MERGE_KEY`. */
export interface YamlProblem {
  readonly code: string;
  readonly position: TextPosition;
}

/** A parsed YAML 1.2 text whose keys are all strings, with the positions of its values. */
export interface YamlSource {
  readonly document: Document.Parsed;
  /** In the order of their positions, without any of the text. */
  readonly problems: readonly YamlProblem[];
  readonly positionAt: (offset: number) => TextPosition;
}

export function parseYamlSource(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false, // pretty errors quote the text
    stringKeys: true,
    uniqueKeys: false, // the library compares every pair of keys, which takes minutes for a megabyte
    logLevel: "error", // "silent" would accept a second document
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
 * Finds repeated keys of a mapping, and merge keys (`<<`) of YAML 1.1, which YAML 1.2 would read as ordinary fields.
 * Merge keys are not followed, because nested merges turn a short text into a large document.
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

/** Describes the problem; for a problem of the library, returns its code. */
export function describeYamlProblem({ code }: YamlProblem): string {
  if (code !== "MERGE_KEY") return code;
  return "a merge key (YAML 1.1); write out its fields, or use an alias as the whole value (field: *name)";
}
