import { ProvisioningError } from "@holdfast/core";
import { fieldOf } from "@holdfast/core/adapter";

/** One page of a list. */
export interface ListPage {
  readonly items: readonly unknown[];
  /** The version of the complete list; opaque. */
  readonly resourceVersion: string;
  /** The token for the next page; undefined on the last page. */
  readonly continueAt: string | undefined;
}

/** Reads one page of a list of the kind `listKind`. Throws `STREAM_INVALID_DATA` for anything other than a list. */
export function toListPage(response: unknown, listKind: string): ListPage {
  const items = fieldOf(response, "items");
  const metadata = fieldOf(response, "metadata");
  const resourceVersion = fieldOf(metadata, "resourceVersion");
  const continueAt = fieldOf(metadata, "continue");
  const isList = items === null || Array.isArray(items);
  if (!isList || typeof resourceVersion !== "string" || resourceVersion === "") {
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `the response to a list request is not of the kind ${listKind}`,
    );
  }
  return {
    items: items ?? [],
    resourceVersion,
    continueAt: typeof continueAt === "string" && continueAt !== "" ? continueAt : undefined,
  };
}
