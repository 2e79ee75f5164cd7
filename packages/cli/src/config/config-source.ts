import { formatPath } from "@holdfast/core";
import type { TextPosition } from "@holdfast/provider-file";
import { describeYamlProblem, parseYamlSource } from "@holdfast/provider-file/yaml";
import { isAlias, isMap, isScalar, isSeq, type Document } from "yaml";
import type { ConfigProblem } from "./config-problem.ts";

/** A parsed text of YAML (which includes JSON), with the positions of its values. */
export interface ConfigSource {
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Returns the position of the value at a path such as `providers[0].kind`, or of the nearest existing parent. */
  locate(path: string): TextPosition | undefined;
}

export function parseConfigSource(text: string): ConfigSource {
  const { document, problems: found, positionAt } = parseYamlSource(text);
  const problems = found.map((problem) =>
    toSyntaxProblem(toWords(describeYamlProblem(problem)), problem.position),
  );
  let value: unknown;
  try {
    if (problems.length === 0) value = document.toJS();
  } catch {
    problems.push(toSyntaxProblem("aliases that cannot be followed", { line: 1, column: 1 }));
  }
  return {
    value,
    problems,
    locate: (path) => {
      const offset = offsetOf(document, document.contents, path);
      return offset === undefined ? undefined : positionAt(offset);
    },
  };
}

/** Converts an error code of the YAML library, such as `DUPLICATE_KEY`, to words. */
function toWords(problem: string): string {
  return /^[A-Z_]+$/.test(problem) ? problem.toLowerCase().replaceAll("_", " ") : problem;
}

function toSyntaxProblem(got: string, position: TextPosition): ConfigProblem {
  return { path: "", expected: "valid YAML or JSON", got, code: "VALIDATION_MALFORMED", ...position };
}

/** Follows the path as far as it exists. A missing value gets the position of its parent. */
function offsetOf(document: Document, node: unknown, path: string): number | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  for (const child of childrenOf(target)) {
    const rest = restOf(path, child.name);
    if (rest !== undefined)
      return (rest === "" ? undefined : offsetOf(document, child.node, rest)) ?? child.offset;
  }
  return undefined;
}

interface Child {
  /** The part of a path that names the child, such as `kind`, `["shop.orders"]` or `[0]`. */
  readonly name: string;
  readonly node: unknown;
  readonly offset: number | undefined;
}

function childrenOf(node: unknown): readonly Child[] {
  if (isMap(node)) {
    return node.items.flatMap(({ key, value }) =>
      isScalar(key) ? [{ name: formatPath([String(key.value)]), node: value, offset: key.range?.[0] }] : [],
    );
  }
  if (!isSeq(node)) return [];
  return node.items.map((item, index) => ({ name: `[${index}]`, node: item, offset: startOf(item) }));
}

function startOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? node.range?.[0] : undefined;
}

/** Returns the rest of a path after its first part, or `undefined` when it does not start with that part. */
function restOf(path: string, part: string): string | undefined {
  if (!path.startsWith(part)) return undefined;
  const rest = path.slice(part.length);
  if (rest === "" || rest.startsWith("[")) return rest;
  return rest.startsWith(".") ? rest.slice(1) : undefined;
}
