import { fieldOf, ProvisioningError } from "@holdfast/core";

/** One line of a watch (Kubernetes API concepts, "Efficient detection of changes"). */
export type WatchLine =
  | { readonly type: "put" | "delete"; readonly slice: unknown; readonly resourceVersion: string }
  | { readonly type: "bookmark"; readonly resourceVersion: string }
  | { readonly type: "error"; readonly status: number; readonly retryAfterMs: number | undefined };

const TYPES: Readonly<Record<string, WatchLine["type"]>> = {
  ADDED: "put",
  MODIFIED: "put",
  DELETED: "delete",
  BOOKMARK: "bookmark",
  ERROR: "error",
};

/** Throws `STREAM_INVALID_DATA` for anything else. */
export function parseWatchLine(text: string): WatchLine {
  const line = parseJson(text);
  const name = fieldOf(line, "type");
  const object = fieldOf(line, "object");
  const type = typeof name === "string" && Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (type === "error") {
    const code = fieldOf(object, "code");
    const seconds = fieldOf(fieldOf(object, "details"), "retryAfterSeconds");
    return {
      type,
      status: typeof code === "number" ? code : 500,
      retryAfterMs: typeof seconds === "number" ? seconds * 1_000 : undefined,
    };
  }
  const resourceVersion = fieldOf(fieldOf(object, "metadata"), "resourceVersion");
  if (type === undefined || typeof resourceVersion !== "string" || resourceVersion === "") throw invalid();
  return type === "bookmark" ? { type, resourceVersion } : { type, slice: object, resourceVersion };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // V8's message quotes the text.
    throw invalid();
  }
}

function invalid(): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", "a line of the watch is no event of an API server");
}
