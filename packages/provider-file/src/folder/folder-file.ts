import type { ClusterNode } from "@holdfast/core";
import { fieldOf } from "@holdfast/core/adapter";
import * as z from "zod";
import { decodeText } from "../decode-text.ts";
import { InvalidTopologyError, toFileProblem } from "../invalid-topology-error.ts";
import { parseJson } from "../parse-json.ts";

/** The content of one file of a folder. */
export interface FolderFile {
  readonly members: readonly ClusterNode[];
  /** After this many milliseconds without a touch of the file, its members are not listed. Absent: they always are. */
  readonly ttlMs: number | undefined;
}

const leaseSchema = z.strictObject({
  ttlMs: z.int().min(1).max(86_400_000),
  owner: z.string().max(128).optional(),
  address: z.string().max(512).optional(),
});

/**
 * Parses a file of a folder: a topology file in JSON, with an optional field `lease`. Throws `InvalidTopologyError`.
 */
export function parseFolderFile(
  bytes: Uint8Array,
  readMembers: (file: unknown) => readonly ClusterNode[],
): FolderFile {
  const file = parseJson(decodeText(bytes));
  const lease = fieldOf(file, "lease");
  if (lease === undefined) return { members: readMembers(file), ttlMs: undefined };
  const parsed = leaseSchema.safeParse(lease);
  if (!parsed.success) throw new InvalidTopologyError([toFileProblem("a lease with ttlMs", "another one")]);
  const rest = Object.fromEntries(Object.entries(Object(file)).filter(([name]) => name !== "lease"));
  return { members: readMembers(rest), ttlMs: parsed.data.ttlMs };
}
