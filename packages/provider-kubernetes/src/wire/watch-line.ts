import { ProvisioningError } from "@holdfast/core";
import { fieldOf, parseJson } from "@holdfast/core/adapter";
import { objectKeyOf } from "./object-key.ts";

/** One line of a watch (Kubernetes API concepts, "Efficient detection of changes"). */
export type WatchLine =
  | {
      readonly type: "put" | "delete";
      readonly key: string;
      readonly object: unknown;
      readonly resourceVersion: string;
    }
  | { readonly type: "bookmark"; readonly resourceVersion: string }
  | { readonly type: "error"; readonly status: number; readonly retryAfterMs: number | undefined };

const TYPES: Readonly<Record<string, WatchLine["type"]>> = {
  ADDED: "put",
  MODIFIED: "put",
  DELETED: "delete",
  BOOKMARK: "bookmark",
  ERROR: "error",
};

/** Parses one line of a watch. Throws `STREAM_INVALID_DATA` if the line is not a valid event of the Kubernetes API. */
export function parseWatchLine(text: string): WatchLine {
  const line = parseJson(text);
  const name = fieldOf(line, "type");
  const object = fieldOf(line, "object");
  const type = typeof name === "string" && Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (type === "error") return { type, status: statusOf(object), retryAfterMs: retryAfterMsOf(object) };
  const resourceVersion = fieldOf(fieldOf(object, "metadata"), "resourceVersion");
  if (type === undefined || typeof resourceVersion !== "string" || resourceVersion === "") throw invalid();
  if (type === "bookmark") return { type, resourceVersion };
  const key = objectKeyOf(object);
  if (key === undefined) throw invalid();
  return { type, key, object, resourceVersion };
}

const DAY_MS = 86_400_000;

/**
 * Returns the code of a `Status`. If it has no valid HTTP code, its reason may still show that a version has expired.
 */
function statusOf(status: unknown): number {
  const code = fieldOf(status, "code");
  if (typeof code === "number" && Number.isInteger(code) && code >= 100 && code < 600) return code;
  const reason = fieldOf(status, "reason");
  return reason === "Expired" || reason === "Gone" ? 410 : 500;
}

function retryAfterMsOf(status: unknown): number | undefined {
  const seconds = fieldOf(fieldOf(status, "details"), "retryAfterSeconds");
  return typeof seconds === "number" && seconds > 0 ? Math.min(seconds * 1_000, DAY_MS) : undefined;
}

function invalid(): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", "a line of the watch is not a valid event");
}
