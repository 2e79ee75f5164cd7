import type { ProviderId, ProviderSnapshot, SkippedEntries } from "@holdfast/core";
import type { ServiceWarning } from "./service-warning.ts";

type Kind = "skipped" | "trimmed";

/**
 * Makes the warnings about entries of a backend that were left out (`skipped`) or cut (`trimmed`). The same count and reasons of the
 * same provider are a warning once, however many snapshots repeat them.
 */
export class IncompleteEntries {
  /** What was warned about last; absent while there is nothing to warn about. */
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
        : "stay, but their tags or metadata exceed a limit and were cut";
    const message = `[STREAM_INVALID_DATA] ${count} ${what} of "${providerId}" ${outcome}`;
    return [{ code: "STREAM_INVALID_DATA", message, providerId, details: { count, reasons } }];
  }
}
