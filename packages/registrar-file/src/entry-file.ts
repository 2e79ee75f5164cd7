import type { ClusterNode } from "@holdfast/core";
import { fieldOf, parseJson, textOf } from "@holdfast/core/adapter";

/** The fields of an entry that other registrars read. */
export interface EntryHeader {
  readonly ttlMs: number;
  /** Unique to one registration. */
  readonly owner: string;
  /** `HOST:PORT` of the process, also while it drains. */
  readonly address: string;
}

/** A larger file is not an entry. */
export const MAX_ENTRY_BYTES = 4_194_304;

/** Formats the entry of a process: a topology file with a lease. A process that drains lists no member. */
export function formatEntry(members: readonly ClusterNode[], lease: EntryHeader): string {
  return `${JSON.stringify({ version: 1, members, lease }, undefined, 2)}\n`;
}

/** Returns `undefined` for a file that no registrar has written. */
export function parseEntryHeader(text: string): EntryHeader | undefined {
  const lease = fieldOf(parseJson(text), "lease");
  const ttlMs = fieldOf(lease, "ttlMs");
  const owner = textOf(lease, "owner");
  const address = textOf(lease, "address");
  if (typeof ttlMs !== "number" || ttlMs <= 0 || owner === undefined || address === undefined)
    return undefined;
  return { ttlMs, owner, address };
}
