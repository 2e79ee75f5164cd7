import { createHash } from "node:crypto";
import type { SoakMember } from "./population.ts";

/** A digest of the members that does not depend on their order. */
export function digestOf(
  members: Iterable<Omit<SoakMember, "zone"> & { readonly zone?: string | undefined }>,
): string {
  const lines = Array.from(members, ({ id, host, port, zone = "" }) => `${id} ${host}:${port} ${zone}`);
  return `${lines.length} members ${createHash("sha256").update(lines.sort().join("\n")).digest("hex").slice(0, 16)}`;
}

/** Like `digestOf`, without the zone: a channel stays open when only the zone of its member changes. */
export function channelDigestOf(members: Iterable<Omit<SoakMember, "zone">>): string {
  return digestOf(Array.from(members, ({ id, host, port }) => ({ id, host, port })));
}
