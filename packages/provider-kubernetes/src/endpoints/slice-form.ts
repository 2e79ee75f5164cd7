import { fieldOf, textOf } from "@holdfast/core/adapter";
import type { ObjectForm } from "../sharing/object-cache.ts";
import { toSliceText } from "../wire/slice-text.ts";

/** The group of all slices, when the server selects those of one user. */
export const ALL_SLICES = "";

/** The label with the Service of an EndpointSlice. */
export const SERVICE_LABEL = "kubernetes.io/service-name";

/** EndpointSlices of one Service or label selector: one group. */
export const UNGROUPED_SLICES: ObjectForm = {
  groupOf: () => ALL_SLICES,
  toText: toSliceText,
  sizeOf: sizeOfSlice,
};

/** EndpointSlices grouped by their Service. */
export const SLICES_BY_SERVICE: ObjectForm = {
  groupOf: (slice) => textOf(fieldOf(fieldOf(slice, "metadata"), "labels"), SERVICE_LABEL) ?? "",
  toText: toSliceText,
  sizeOf: sizeOfSlice,
};

function sizeOfSlice(slice: unknown): number {
  const endpoints = fieldOf(slice, "endpoints");
  return 1 + (Array.isArray(endpoints) ? endpoints.length : 0);
}
