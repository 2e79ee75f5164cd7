import type { ErrorCode } from "./error-codes.ts";
import type { ProvisioningError } from "./provisioning-error.ts";

/** A reason: a code for programs, a message and facts for people. Never contains a secret or a quoted response. */
export interface Reason {
  readonly code: ErrorCode;
  /** One sentence, without the code; never empty. */
  readonly message: string;
  /** Facts such as the address, the HTTP status or the index. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Converts an error to a reason: its message without the leading `[CODE]`, and its details if it has any. */
export function toReason({ code, message, details }: ProvisioningError): Reason {
  const prefix = `[${code}] `;
  const text = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return {
    code,
    message: text.slice(0, MAX_TEXT),
    ...(Object.keys(details).length > 0 && { details: toFacts(details) }),
  };
}

const MAX_DEPTH = 4;
const MAX_ENTRIES = 32;
const MAX_TEXT = 1_000;

/**
 * Copies details to plain JSON values of limited size, because a third-party adapter may put anything into an error.
 */
function toFacts(details: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(details).slice(0, MAX_ENTRIES);
  return Object.fromEntries(entries.map(([name, value]) => [name, toFact(value, MAX_DEPTH)]));
}

function toFact(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.slice(0, MAX_TEXT);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || depth === 1) return undefined;
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item) => toFact(item, depth - 1) ?? null);
  const entries = Object.entries(value).slice(0, MAX_ENTRIES);
  return Object.fromEntries(entries.map(([name, item]) => [name, toFact(item, depth - 1)]));
}
