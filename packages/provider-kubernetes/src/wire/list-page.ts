import { ProvisioningError } from "@holdfast/core";
import { fieldOf } from "@holdfast/core/adapter";

/** One page of a list. */
export interface ListPage {
  readonly items: readonly unknown[];
  /** The version the whole list is of; opaque. */
  readonly resourceVersion: string;
  /** Where the next page begins; undefined on the last one. */
  readonly continueAt: string | undefined;
}

/** Throws `STREAM_INVALID_DATA` for anything but an EndpointSliceList. */
export function toListPage(answer: unknown): ListPage {
  const items = fieldOf(answer, "items");
  const metadata = fieldOf(answer, "metadata");
  const resourceVersion = fieldOf(metadata, "resourceVersion");
  const continueAt = fieldOf(metadata, "continue");
  const isList = items === null || Array.isArray(items);
  if (!isList || typeof resourceVersion !== "string" || resourceVersion === "") {
    throw new ProvisioningError("STREAM_INVALID_DATA", "the answer to a list is no EndpointSliceList");
  }
  return {
    items: items ?? [],
    resourceVersion,
    continueAt: typeof continueAt === "string" && continueAt !== "" ? continueAt : undefined,
  };
}
