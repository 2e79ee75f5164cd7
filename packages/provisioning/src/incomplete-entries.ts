import type { ProviderId, ProviderSnapshot, SkippedEntries } from "@holdfast/core";
import type { ServiceWarning } from "./service-warning.ts";

type Kind = "skipped" | "trimmed";

/**
 * Creates the warnings about entries of a backend that were left out (`skipped`) or truncated (`trimmed`). A warning with the same
 * provider, count and reasons is not repeated for each snapshot.
 */
export class IncompleteEntries {
  /** The content of the last warning of each kind; absent when the newest snapshot needs none. */
  readonly #warned = new Map<Kind, string>();

  warningsFor({ providerId, skipped, trimmed }: ProviderSnapshot): readonly ServiceWarning[] {
    return [
      ...this.#warningFor("skipped", providerId, skipped),
      ...this.#warningFor("trimmed", providerId, trimmed),
    ];
  }

  #warningFor(
    kind: Kind,
    providerId: ProviderId,
    entries: SkippedEntries | undefined,
  ): readonly ServiceWarning[] {
    if (entries === undefined || entries.count === 0) {
      this.#warned.delete(kind);
      return [];
    }
    const { count, reasons } = entries;
    const content = JSON.stringify([providerId, count, reasons]);
    if (this.#warned.get(kind) === content) return [];
    this.#warned.set(kind, content);
    const what = kind === "skipped" ? "entries" : "members";
    const outcome =
      kind === "skipped"
        ? "could not be read and were left out"
        : "were truncated, because their tags or metadata exceed a limit";
    const message = `[STREAM_INVALID_DATA] ${count} ${what} of "${providerId}" ${outcome}`;
    return [{ code: "STREAM_INVALID_DATA", message, providerId, details: { count, reasons } }];
  }
}
