import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";
import type { TextPosition } from "./invalid-topology-error.ts";

/** One thing wrong with a text of YAML; `code` is the library's, such as `DUPLICATE_KEY`. */
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
  const repeated = found.length > 0 ? [] : findRepeatedKeys(document);
  const problems = [...found, ...repeated.map((offset) => ({ code: "DUPLICATE_KEY" as const, offset }))];
  return {
    document,
    problems: problems.map(({ code, offset }) => ({ code, position: positionAt(offset) })),
    positionAt,
  };
}

/** Where keys stand that their mapping has already. */
function findRepeatedKeys(document: Document.Parsed): readonly number[] {
  const repeated: number[] = [];
  const pending: unknown[] = [document.contents];
  while (pending.length > 0) {
    const node = pending.pop();
    if (isSeq(node)) for (const item of node.items) pending.push(item);
    if (!isMap(node)) continue;
    const keys = new Set<unknown>();
    for (const { key, value } of node.items) {
      pending.push(value);
      if (!isScalar(key)) continue;
      if (keys.has(key.value)) repeated.push(key.range?.[0] ?? 0);
      keys.add(key.value);
    }
  }
  return repeated.sort((a, b) => a - b);
}
