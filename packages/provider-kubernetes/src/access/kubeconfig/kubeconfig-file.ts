import { fieldOf } from "@holdfast/core/adapter";
import { CORE_SCHEMA, loadAll, mergeTag, YAMLException } from "js-yaml";
import { describeFile, unusable } from "./unusable-kubeconfig.ts";

/** The text of a kubeconfig. */
export interface KubeconfigText {
  /** Undefined when it came from an environment variable. */
  readonly path: string | undefined;
  readonly text: string;
}

/** A named cluster, user or context. It is not checked yet, because an unused entry may be malformed. */
export interface KubeconfigEntry {
  readonly name: string;
  readonly value: unknown;
  /** The file that contains it; undefined for an environment variable. */
  readonly path: string | undefined;
}

export type KubeconfigEntries = ReadonlyMap<string, KubeconfigEntry>;

/** The content of one kubeconfig, or of several that were merged. */
export interface Kubeconfig {
  /** Empty when no file sets it. */
  readonly currentContext: string;
  readonly clusters: KubeconfigEntries;
  readonly users: KubeconfigEntries;
  readonly contexts: KubeconfigEntries;
}

/**
 * Parses one kubeconfig. An empty one has no entries. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` with the file and the
 * line or the entry, when it is not valid YAML, or when a list contains two entries with the same name (kubectl rejects
 * that, too).
 */
export function parseKubeconfig({ path, text }: KubeconfigText): Kubeconfig {
  const document = parse(path, text) ?? {};
  if (typeof document !== "object" || Array.isArray(document))
    throw unusable(describeFile(path), "expected a mapping");
  const currentContext = fieldOf(document, "current-context") ?? "";
  if (typeof currentContext !== "string")
    throw unusable(describeFile(path), "current-context: expected a string");
  return {
    currentContext,
    clusters: readEntries(document, "cluster", path),
    users: readEntries(document, "user", path),
    contexts: readEntries(document, "context", path),
  };
}

/**
 * Parses YAML. The messages of the parser quote the text, which may contain a secret, so only the position is reported.
 */
function parse(path: string | undefined, text: string): unknown {
  let documents: readonly unknown[];
  try {
    // kubectl supports merge keys, which are part of YAML 1.1.
    documents = loadAll(text, { schema: CORE_SCHEMA.withTags(mergeTag) });
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    const position = mark === undefined ? "" : ` (line ${mark.line + 1}, column ${mark.column + 1})`;
    throw unusable(describeFile(path), `it is not valid YAML${position}`);
  }
  // kubectl reads only the first document. A file may end with "---".
  const [first, ...others] = documents;
  if (others.some((other) => other !== null))
    throw unusable(describeFile(path), "it has more than one YAML document");
  return first;
}

function readEntries(
  document: object,
  kind: "cluster" | "user" | "context",
  path: string | undefined,
): KubeconfigEntries {
  const list = fieldOf(document, `${kind}s`) ?? [];
  if (!Array.isArray(list)) throw unusable(describeFile(path), `${kind}s: expected a list`);
  const entries = new Map<string, KubeconfigEntry>();
  for (const item of list) {
    if (typeof item !== "object" || item === null) continue;
    const name = fieldOf(item, "name") ?? "";
    // An entry whose name is not a string cannot be used by a context.
    if (typeof name !== "string") continue;
    if (entries.has(name)) throw unusable(describeFile(path), `it has two ${kind}s with the name "${name}"`);
    entries.set(name, { name, value: fieldOf(item, kind), path });
  }
  return entries;
}
