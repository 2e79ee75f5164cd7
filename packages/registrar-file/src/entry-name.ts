import { createHash } from "node:crypto";

/** Ids that are file names as they are, on every file system. */
const PLAIN = /^[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9_-]+)*$/;
const MAX_PLAIN = 100;

/**
 * Returns the file name of a member's entry. Different ids have different names, also on file systems that ignore case:
 * other ids than short ones of small letters get a part of their SHA-256.
 */
export function entryName(id: string): string {
  if (id.length <= MAX_PLAIN && PLAIN.test(id)) return `${id}.json`;
  const readable = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .slice(0, MAX_PLAIN);
  return `${readable}~${createHash("sha256").update(id).digest("hex").slice(0, 16)}.json`;
}

/** Returns the name of the file in which an entry is prepared. Readers ignore names with a leading dot. */
export function temporaryName(name: string, unique: string): string {
  return `.${name}.${unique}.tmp`;
}

const TEMPORARY = /^\..+\.json\.[\da-f-]+\.tmp$/;

export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

export function isEntryName(name: string): boolean {
  return !name.startsWith(".") && name.endsWith(".json");
}
