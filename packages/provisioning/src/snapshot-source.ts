import { createHash } from "node:crypto";
import type { ProviderDescriptor } from "@holdfast/core";

/** Identifies the configuration of a provider: its value changes with the id, the kind and the parameters. */
export function toSnapshotSource({ id, kind, params }: ProviderDescriptor): string {
  return createHash("sha256")
    .update(JSON.stringify([id, kind, params]))
    .digest("hex");
}
