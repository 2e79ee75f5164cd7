import { createHash } from "node:crypto";
import type { ProviderDescriptor } from "@holdfast/core";

/** Names what a provider looks at: another place, service or file under the same id is another source. */
export function toSnapshotSource({ id, kind, params }: ProviderDescriptor): string {
  return createHash("sha256")
    .update(JSON.stringify([id, kind, params]))
    .digest("hex");
}
