import { fieldOf } from "@holdfast/core/adapter";
import type { ObjectForm } from "../sharing/object-cache.ts";

/** The group of all Services. */
export const ALL_SERVICES = "";

/** Services, in one group. Their texts have the fields that `ServiceView` reads. */
export const SERVICE_FORM: ObjectForm = {
  groupOf: () => ALL_SERVICES,
  toText(service) {
    const metadata = fieldOf(service, "metadata");
    return JSON.stringify({
      name: textOr(fieldOf(metadata, "name")),
      namespace: textOr(fieldOf(metadata, "namespace")),
      type: textOr(fieldOf(fieldOf(service, "spec"), "type")),
    });
  },
  sizeOf: () => 1,
};

function textOr(value: unknown): string {
  return typeof value === "string" ? value : "";
}
